import Base
import Loop
import Postgres

extension Command {
    static let migrate = Command(
        name: "migrate", summary: "bring the database's schema up to date", synopsis: "[--dry-run]",
        description: """
            Applies the files of HIVEGATE_MIGRATIONS that the database has not seen, in order. Any number of processes
            may do so at once. A file that was changed or removed after it was applied is refused by name.

              --dry-run  say what would be applied, check everything, and change nothing
            """
    ) { arguments throws(Misuse) in
        guard arguments.allSatisfy({ $0 == "--dry-run" }) else { throw Misuse(reason: "unknown arguments") }
        let isDry = !arguments.isEmpty
        return Program.run { configuration, loop, logger in
            try await Storage.use(configuration, sharing: .allowed, on: loop, logger: logger) { storage in
                let files =
                    isDry
                    ? try await Migration.plan(configuration, storage, on: loop, logger: logger).pending
                    : try await Migration.run(configuration, storage, on: loop, logger: logger)
                let verb = isDry ? "would apply" : "applied"
                for file in files { Console.print("\(verb) \(file.fileName)") }
                if files.isEmpty { Console.print("the schema is up to date") }
            }
        }
    }
}
