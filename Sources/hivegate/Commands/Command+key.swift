import Base
import Identity

extension Command {
    static let key = Command(
        name: "key", summary: "make, list and revoke API keys; rotate the key that signs sessions",
        synopsis:
            "create NAME --org ID --user EMAIL [--scope SCOPE]… | list --org ID | revoke ID --org ID | rotate-signing",
        description: """
              create NAME --org ID --user EMAIL  makes a key for a member and prints it; it cannot be shown again.
                                                 Scopes are inference (the default), read and admin.
              list --org ID                      lists an organization's keys
              revoke ID --org ID                 ends a key: it is refused from the next request on
              rotate-signing                     signs sessions under a new key from now on
            """
    ) { arguments throws(Misuse) in
        let arguments = try Arguments(arguments, options: ["--org", "--user", "--scope"])
        guard let verb = arguments.words.first else {
            throw Misuse(reason: "expected create, list, revoke or rotate-signing")
        }
        if verb == "rotate-signing" {
            _ = try arguments.operands(0)
            return rotateSigningKey()
        }
        let organization = try Arguments.identifier(arguments.required("--org"))
        switch verb {
        case "create":
            let scopes = arguments.values("--scope")
            if let unknown = scopes.first(where: { !KeyScopes.allNames.contains($0) }) {
                throw Misuse(
                    reason: "\"\(unknown)\" is none of \(KeyScopes.allNames.joined(separator: ", "))")
            }
            let new = NewKey(name: try arguments.operand(), scopes: scopes.isEmpty ? ["inference"] : scopes)
            return makeKey(new, for: try Arguments.email(arguments.required("--user")), of: organization)
        case "list":
            _ = try arguments.operands(0)
            return listKeys(of: organization)
        case "revoke":
            let id = try Arguments.identifier(arguments.operand())
            return Administration.run { administration in
                await administration.announce(
                    try await administration.store.revokeKey(id, of: organization, by: .command))
            }
        default: throw Misuse(reason: "expected create, list, revoke or rotate-signing")
        }
    }

    private static func makeKey(_ new: NewKey, for email: String, of organization: UUID) -> ExitCode {
        Administration.run { administration in
            let account = try await administration.account(email)
            // Says so where they are no member.
            _ = try await administration.store.organization(organization, for: account.id)
            let made = try await administration.store.makeKey(
                new, for: account.id, of: organization, by: .command)
            Console.print(made.key.secret.reveal())
        }
    }

    private static func listKeys(of organization: UUID) -> ExitCode {
        Administration.run { administration in
            for key in try await administration.store.keys(of: organization) {
                let end = key.expiresAt.map { "  until \($0)" } ?? ""
                Console.print(
                    "\(key.id)  …\(key.lastFour)  \(key.scopes.joined(separator: ","))  \(key.name)\(end)")
            }
        }
    }

    private static func rotateSigningKey() -> ExitCode {
        Administration.run { administration in
            let keys = SigningKeyStore(administration.pool, administration.vault, administration.audit)
            Console.print((try await keys.rotate(by: .command)).description)
        }
    }
}
