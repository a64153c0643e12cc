import Base
import Identity

extension Command {
    static let user = Command(
        name: "user", summary: "list accounts, shut them out, and give them new passwords",
        synopsis: "list | disable EMAIL | enable EMAIL | reset-password EMAIL",
        description: """
              list                  lists all accounts
              disable EMAIL         ends the account's sessions and refuses its keys
              enable EMAIL          lets it in again
              reset-password EMAIL  gives it a new password, prints that, and ends its sessions
            """
    ) { arguments throws(Misuse) in
        let arguments = try Arguments(arguments)
        guard let verb = arguments.words.first else {
            throw Misuse(reason: "expected list, disable, enable or reset-password")
        }
        if verb == "list" {
            _ = try arguments.operands(0)
            return listAccounts()
        }
        guard ["disable", "enable", "reset-password"].contains(verb) else {
            throw Misuse(reason: "expected list, disable, enable or reset-password")
        }
        let email = try Arguments.email(arguments.operand())
        if verb == "reset-password" { return resetPassword(of: email) }
        return Administration.run { administration in
            let account = try await administration.account(email)
            let changes = try await administration.store.setDisabled(
                verb == "disable", account.id, by: .command)
            for change in changes { await administration.announce(change) }
        }
    }

    private static func listAccounts() -> ExitCode {
        Administration.run { administration in
            var last: UUID?
            repeat {
                let page = try await administration.store.allAccounts(after: last, limit: 1000)
                for one in page {
                    let marks = [
                        one.isOperator ? "operator" : nil, one.isDisabled ? "disabled" : nil,
                        one.isVerified ? nil : "unconfirmed",
                    ].compactMap(\.self)
                    Console.print(
                        "\(one.id)  \(one.createdAt)  \(one.email)  \(marks.joined(separator: ","))")
                }
                last = page.count == 1000 ? page.last?.id : nil
            } while last != nil
        }
    }

    private static func resetPassword(of email: String) -> ExitCode {
        Administration.run { administration in
            let account = try await administration.account(email)
            let password = Secret.newPassword()
            try await administration.store.setPassword(
                administration.hash(password), of: account.id, sparing: nil, by: .command)
            Console.print(password.reveal())
        }
    }
}

extension Secret {
    /// One that a person may type once and then replace.
    static func newPassword() -> Secret { Secret(Random.base62(20)) }
}
