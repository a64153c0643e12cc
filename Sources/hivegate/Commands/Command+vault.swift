import Base
import Glibc
import Identity

extension Command {
    static let rewrap = Command(
        name: "rewrap", summary: "put every stored secret under the newest master key", synopsis: "",
        description: """
            To rotate the master key: add a line with a higher version to the file, restart every server, run this, and
            take the old line away. Servers go on meanwhile. Exits with 1 if a secret does not open; it stays as it is.
            """
    ) { arguments throws(Misuse) in
        guard arguments.isEmpty else { throw Misuse(reason: "takes no arguments") }
        let isTerminal = isatty(1) == 1
        return Administration.run { administration in
            var tables: [Rewrapping.Progress] = []
            try await Rewrapping(administration.pool, administration.vault).run { progress in
                if tables.last?.table == progress.table { tables.removeLast() }
                tables.append(progress)
                if isTerminal { Console.error("\(progress.table): \(progress.rewrapped) so far") }
            }
            for table in tables { Console.print("\(table.table): \(table.rewrapped) rewrapped") }
            let unreadable = tables.flatMap { table in table.unreadable.map { "\(table.table) \($0)" } }
            guard unreadable.isEmpty else {
                throw Unsound(description: "these do not open:\n  \(unreadable.joined(separator: "\n  "))")
            }
        }
    }

    static let outbox = Command(
        name: "outbox", summary: "show mails that were not sent", synopsis: "[--to EMAIL]",
        description: """
            Prints the mails that wait to be sent, or that nobody sends because SMTP_URL is not set. They hold links that
            open accounts.
            """
    ) { arguments throws(Misuse) in
        let arguments = try Arguments(arguments, options: ["--to"])
        guard arguments.words.isEmpty else { throw Misuse(reason: "takes no words") }
        let recipient = try arguments.optional("--to")
        return Administration.run { administration in
            for mail in try await administration.store.unsentMails(to: recipient) {
                Console.print("To: \(mail.recipient)\nSubject: \(mail.subject)\n\n\(mail.text)\n")
            }
        }
    }
}

/// What was looked at is not as it was left.
struct Unsound: Error, CustomStringConvertible {
    let description: String
}
