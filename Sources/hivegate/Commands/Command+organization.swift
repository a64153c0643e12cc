import Base
import Identity

extension Command {
    static let organization = Command(
        name: "org", summary: "make, list, delete and restore organizations, and open them again",
        synopsis: "create NAME --owner EMAIL | list | delete ID | restore ID | sso-off ID",
        description: """
              create NAME --owner EMAIL  makes an organization with its owner and an API key, and prints the key and the
                                         owner's password. Neither can be shown again. An owner who has an account
                                         already keeps their password.
              list                       lists all, deleted ones too
              delete ID                  ends its keys and sessions at once; its data stay for 30 days
              restore ID                 brings it back within that time
              sso-off ID                 lets its members in by their passwords again, where single sign-on is enforced
                                         and its identity provider is away
            """
    ) { arguments throws(Misuse) in
        let arguments = try Arguments(arguments, options: ["--owner"])
        switch arguments.words.first {
        case "create":
            let name = try arguments.operand()
            return create(name, owner: try Arguments.email(arguments.required("--owner")))
        case "list":
            _ = try arguments.operands(0)
            return listOrganizations()
        case "delete":
            let id = try Arguments.identifier(arguments.operand())
            return Administration.run { administration in
                await administration.announce(try await administration.store.delete(id, by: .command))
            }
        case "restore":
            let id = try Arguments.identifier(arguments.operand())
            return Administration.run { administration in
                await administration.announce(try await administration.store.restore(id, by: .command))
            }
        case "sso-off":
            let id = try Arguments.identifier(arguments.operand())
            return Administration.run { administration in
                try await administration.store.stopEnforcingSSO(of: id, by: .command)
            }
        default: throw Misuse(reason: "expected create, list, delete, restore or sso-off")
        }
    }

    private static func create(_ name: String, owner email: String) -> ExitCode {
        Administration.run { administration in
            let password = Secret.newPassword()
            let founding = try await administration.store.found(
                organization: name, owner: email, password: administration.hash(password), by: .command)
            Console.print(
                """
                HIVEGATE_API_KEY=\(founding.key.secret.reveal())
                HIVEGATE_OWNER_EMAIL=\(email)
                """)
            if founding.isNewAccount { Console.print("HIVEGATE_OWNER_PASSWORD=\(password.reveal())") }
        }
    }

    private static func listOrganizations() -> ExitCode {
        Administration.run { administration in
            var last: UUID?
            repeat {
                let page = try await administration.store.allOrganizations(after: last, limit: 1000)
                for one in page {
                    let end = one.deletedAt.map { "  deleted \($0)" } ?? ""
                    Console.print("\(one.id)  \(one.createdAt)  \(one.name)\(end)")
                }
                last = page.count == 1000 ? page.last?.id : nil
            } while last != nil
        }
    }
}
