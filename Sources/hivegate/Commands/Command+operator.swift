import Base
import Identity

extension Command {
    static let operators = Command(
        name: "operator", summary: "say who manages the instance itself",
        synopsis: "list | add EMAIL | remove EMAIL",
        description: """
            Operators see all organizations and accounts, and set up providers, plans and prices. The first account of an
            instance is one; the last one stays.
            """
    ) { arguments throws(Misuse) in
        let arguments = try Arguments(arguments)
        switch arguments.words.first {
        case "list":
            _ = try arguments.operands(0)
            return Administration.run { administration in
                for account in try await administration.store.operators() {
                    Console.print("\(account.id)  \(account.email)")
                }
            }
        case "add":
            let email = try Arguments.email(arguments.operand())
            return Administration.run { administration in
                let account = try await administration.account(email)
                try await administration.store.addOperator(account.id, by: .command)
            }
        case "remove":
            let email = try Arguments.email(arguments.operand())
            return Administration.run { administration in
                let account = try await administration.account(email)
                try await administration.store.removeOperator(account.id, by: .command)
            }
        default: throw Misuse(reason: "expected list, add or remove")
        }
    }
}
