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

    static let verify = Command(
        name: "verify", summary: "check that the audit trail is whole", synopsis: "",
        description: """
            Goes through the audit trail of every organization and of the instance, and says where the first entry is that
            was changed, removed, moved or added from outside. Exits with 1 if there is one.

            It prints the length and the end of each chain. Keep a copy elsewhere: whoever puts an old copy of the whole
            database in place changes nothing but that.
            """
    ) { arguments throws(Misuse) in
        guard arguments.isEmpty else { throw Misuse(reason: "takes no arguments") }
        return Administration.run { administration in
            var breachCount = 0
            try await AuditVerification(administration.pool, administration.audit).run { chain in
                let name =
                    chain.organization == AuditEntry.instance ? "the instance" : "\(chain.organization)"
                if let breach = chain.breach {
                    breachCount += 1
                    Console.print("\(name): \(breach)")
                } else {
                    Console.print(
                        "\(name): \(chain.entryCount) entries, whole, end \(String(hex: chain.end.prefix(8)))"
                    )
                }
            }
            if breachCount > 0 { throw Unsound(description: "\(breachCount) audit trails are not whole") }
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
