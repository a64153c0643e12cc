import Base
import Gateway
import HTTPWire
import Identity
import JSON
import Postgres
import Testing

/// Every route × every role × {own, other, absent}: made from the route table, so a route that is added is in it.
struct RoleMatrixTests {
    private enum Caller: CustomStringConvertible, Sendable, CaseIterable {
        case nobody, owner, admin, member, viewer, operatorPerson
        case ownersKey, viewersKey

        var role: Role {
            switch self {
            case .nobody, .operatorPerson, .owner, .ownersKey: .owner
            case .admin: .admin
            case .member: .member
            case .viewer, .viewersKey: .viewer
            }
        }

        var description: String {
            switch self {
            case .nobody: "nobody"
            case .operatorPerson: "an operator"
            case .ownersKey: "an owner's key"
            case .viewersKey: "a viewer's key"
            default: "a \(role.rawValue)"
            }
        }

        func credential(_ cast: Cast) -> ManagementWorld.Credential {
            switch self {
            case .nobody: .none
            case .ownersKey, .viewersKey: .bearer(cast.actor(role).keyText)
            default: .bearer(cast.actor(role).token)
            }
        }

        func principal(_ cast: Cast) -> Principal? {
            if case .nobody = self { return nil }
            let actor = cast.actor(role)
            let isKey = [.ownersKey, .viewersKey].contains(self)
            return Principal(
                user: actor.user, organization: cast.organization, role: role,
                isOperator: self == .operatorPerson,
                credential: isKey
                    ? .key(
                        Identity.Caller(
                            organization: cast.organization, user: actor.user, role: role, key: actor.key,
                            scopes: [.inference, .read, .admin]))
                    : .session(actor.session, isCookie: false, bySSO: false))
        }
    }

    private enum Target: String, CaseIterable { case own, other, absent }

    /// Not about what is organizations': the pages that are public or stream by themselves have tests of their own.
    private static let endpoints = RouteTable.endpoints.filter { $0.isChecked && $0.access != .open }

    @Test
    func `every role may do what the table says on what is its own, and what is not its own is not there`()
        async throws
    {
        try await ManagementWorld.run { world in
            try await world.liftPlans()
            let other = try await Cast.make(in: world)
            let before = try await other.fingerprint(world)
            var cast = try await Cast.make(in: world)
            var caseCount = 0
            for endpoint in Self.endpoints {
                for caller in Caller.allCases {
                    for target in Target.allCases where target == .own || !endpoint.parameters.isEmpty {
                        let isOperator = caller == .operatorPerson
                        // An operator may change what is others'.
                        let stranger = isOperator ? try await Cast.make(in: world) : other
                        try await world.setOperator(isOperator ? cast.actor(.owner).user : nil)
                        let answer = try await send(endpoint, caller, target, cast, stranger, world)
                        check(answer, endpoint, caller, target, cast, stranger)
                        caseCount += 1
                        if answer.status < 300, endpoint.method != .get {
                            cast = try await Cast.make(in: world)
                        }
                    }
                }
            }
            #expect(try await other.fingerprint(world) == before)
            #expect(caseCount > Self.endpoints.count * Caller.allCases.count)
        }
    }

    private func send(
        _ endpoint: Endpoint, _ caller: Caller, _ target: Target, _ cast: Cast, _ other: Cast,
        _ world: ManagementWorld
    ) async throws -> ManagementWorld.Answer {
        var path = endpoint.path
        for parameter in endpoint.parameters {
            // Only the last one strays: those before it lead there.
            let isLast = parameter.name == endpoint.parameters.last?.name
            guard case .object(let kind) = parameter.kind else {
                let text =
                    isLast && target != .own ? "none\(Random.base62(8).lowercased())" : parameter.example
                path = path.replacing("{\(parameter.name)*}", with: text)
                path = path.replacing("{\(parameter.name)}", with: text)
                continue
            }
            let id =
                switch isLast ? target : .own {
                case .own: try await own(kind, of: caller, cast, world)
                case .other: other.object(kind, of: caller.role)
                case .absent: UUID.make()
                }
            path = path.replacing("{\(parameter.name)}", with: id.description)
        }
        return try await world.send(
            "\(endpoint.method)", path, as: caller.credential(cast), endpoint.body?.example)
    }

    private func own(
        _ kind: ObjectKind, of caller: Caller, _ cast: Cast, _ world: ManagementWorld
    ) async throws -> UUID {
        guard kind == .platformCredential else { return cast.object(kind, of: caller.role) }
        return try await world.store.addCredential(
            NewCredential(provider: "openai", name: "platform", baseURL: nil, key: Secret("sk-platform")),
            of: nil, by: .command
        ).credential.id
    }

    private func check(
        _ answer: ManagementWorld.Answer, _ endpoint: Endpoint, _ caller: Caller, _ target: Target,
        _ cast: Cast, _ other: Cast
    ) {
        let what: Comment =
            "\(caller), \(target.rawValue): \(endpoint.name) → \(answer.status) \(answer.text.prefix(200))"
        guard let principal = caller.principal(cast) else {
            #expect(answer.status == 401, what)
            return
        }
        do throws(Problem) {
            try endpoint.access.admit(principal)
        } catch {
            #expect(answer.status == 403 && answer.code == error.code, what)
            if case .member(let permission) = endpoint.access {
                #expect(answer.text.contains(permission.rawValue), what)
            }
            return
        }
        if target == .own {
            #expect(answer.status != 401 && answer.status != 403 && answer.status < 500, what)
        } else if isReachable(endpoint, target) {
            #expect(answer.status < 500 && answer.status != 401 && answer.status != 403, what)
        } else {
            #expect(answer.status == 404, what)
        }
        if caller != .operatorPerson { #expect(!answer.text.contains(other.canary), what) }
    }

    /// What an operator reaches, wherever it belongs.
    private func isReachable(_ endpoint: Endpoint, _ target: Target) -> Bool {
        // What is put where nothing was is made there.
        if endpoint.name == "setPlan" { return true }
        guard target == .other, case .object(let kind) = endpoint.parameters.last?.kind else { return false }
        return kind == .anyOrganization || kind == .user || kind == .anyInvoice
    }
}

extension ManagementWorld {
    /// Lets whoever has a plan do as much as they like.
    func liftPlans() async throws {
        _ = try await owner.query("SELECT set_config('app.system', 'on', false)")
        try await owner.execute("UPDATE plans SET limits = '{}', features = '[\"sso\", \"audit_export\"]'")
        _ = try await owner.query("SELECT set_config('app.system', '', false)")
    }

    /// Makes one account the operator, or none.
    func setOperator(_ user: UUID?) async throws {
        try await owner.execute("DELETE FROM operators")
        if let user { try await owner.execute("INSERT INTO operators (user_id) VALUES (\(user))") }
    }
}
