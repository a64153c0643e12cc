package import Base
import Postgres

extension IdentityStore {
    /// What somebody new says of themselves.
    package struct SignUp: Sendable {
        package var email: String
        package var password: PasswordHash
        package var name: String?
        /// What their organization is to be called, where they are not invited to one.
        package var organization: String?
        package var invitation: String?
        package var address: String?

        package init(
            email: String, password: PasswordHash, name: String? = nil, organization: String? = nil,
            invitation: String? = nil, address: String? = nil
        ) {
            self.email = email
            self.password = password
            self.name = name
            self.organization = organization
            self.invitation = invitation
            self.address = address
        }
    }

    /// Makes an account, with an organization of its own unless it is invited to one.
    ///
    /// Whether the address has an account already is told to the mailbox and to nobody else: this returns as it would
    /// otherwise. Only who holds an invitation to that address is told.
    package func register(_ signUp: SignUp) async throws -> KeyChange? {
        switch (settings.registration, signUp.invitation) {
        case (.closed, _), (.invite, nil): throw Problem.registrationClosed
        case (_, let invitation?): return try await registerInvited(signUp, invitation)
        case (.open, nil):
            try await registerFounder(signUp)
            return nil
        }
    }

    private func registerFounder(_ signUp: SignUp) async throws {
        let organization = UUID.make(at: time.timestamp())
        try await pool.transaction(tenant: organization) { transaction in
            let user = try await addAccount(
                email: signUp.email, name: signUp.name, password: signUp.password, isVerified: false,
                transaction)
            guard let user else {
                return try await enqueue(
                    .accountExists(signUp.email, at: settings.publicURL), transaction)
            }
            let actor = Actor(.session, user: user, address: signUp.address)
            try await addOrganization(
                organization, named: signUp.organization ?? signUp.name ?? "My organization", owner: user,
                by: actor, transaction)
            try await sendVerification(to: signUp.email, of: user, transaction)
            try await makeOperatorIfFirst(user, transaction)
        }
    }

    private func registerInvited(_ signUp: SignUp, _ text: String) async throws -> KeyChange {
        guard let token = PresentedSecret(presented: text) else { throw Problem.invalidInvitation }
        return try await pool.transaction(in: .token(token.digest)) { transaction in
            let invitation = try await invitation(presenting: token, transaction)
            guard invitation.email == signUp.email.lowercased() else {
                throw Problem(
                    .unprocessable, code: "wrong_email",
                    "The invitation is for another address. Use the one that it was sent to.", field: "email")
            }
            // The mailbox is theirs: the invitation came from it.
            let user = try await addAccount(
                email: signUp.email, name: signUp.name, password: signUp.password, isVerified: true,
                transaction)
            guard let user else {
                throw Problem(
                    .conflict, code: "account_exists",
                    "There is an account with this address. Sign in with it, and give the invitation along.",
                    field: "email")
            }
            return try await accept(
                invitation, as: user, by: Actor(.session, user: user, address: signUp.address), transaction)
        }
    }

    // MARK: At the command line, and at the first start

    /// What a new organization is given.
    package struct Founding: Sendable {
        package let organization: UUID
        package let user: UUID
        package let key: APIKey
        /// Whether the account was made now, with the password that was given.
        package let isNewAccount: Bool
    }

    /// Makes an organization with its owner and a first key. An account that is there already keeps its password.
    package func found(
        organization name: String, owner email: String, password: PasswordHash, by actor: Actor
    ) async throws -> Founding {
        let organization = UUID.make(at: time.timestamp())
        let key = APIKey.make()
        return try await pool.transaction(tenant: organization) { transaction in
            let added = try await addAccount(
                email: email, password: password, isVerified: true, transaction)
            let user: UUID
            if let added {
                user = added
            } else {
                try await transaction.enter(.email(email.lowercased()))
                user = try await transaction.query(
                    "SELECT id FROM users WHERE email = \(email.lowercased())")[0].decode(UUID.self)
                try await transaction.enter(.user(user))
            }
            try await addOrganization(organization, named: name, owner: user, by: actor, transaction)
            try await add(
                key, NewKey(name: "First key"), id: .make(at: time.timestamp()), to: user, of: organization,
                by: actor,
                transaction)
            try await makeOperatorIfFirst(user, transaction)
            return Founding(organization: organization, user: user, key: key, isNewAccount: added != nil)
        }
    }
}
