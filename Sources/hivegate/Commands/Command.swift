/// A subcommand: its name, what it says of itself, and what it does.
struct Command: Sendable {
    let name: String
    let summary: String
    /// What follows the name on the command line.
    let synopsis: String
    /// Shown by `hivegate NAME --help`, after the synopsis.
    let description: String
    let run: @Sendable ([String]) throws(Misuse) -> ExitCode

    /// A command was called in a way it does not know.
    struct Misuse: Error {
        let reason: String
    }

    static let all: [Command] = [
        .serve, .migrate, .checkConfig, .organization, .user, .key, .operators, .prices, .catalog, .rewrap,
        .verify, .drain, .outbox,
        .health,
        .version,
    ]

    /// Runs what the arguments ask for.
    static func run(_ arguments: [String]) -> ExitCode {
        guard let name = arguments.first else {
            Console.error(overview)
            return .usage
        }
        if isHelp(name) || name == "help" {
            guard let topic = arguments.dropFirst().first(where: { !isHelp($0) }) else {
                Console.print(overview)
                return .success
            }
            return showHelp(topic)
        }
        guard let command = all.first(where: { $0.name == name }) else { return unknown(name) }
        let rest = Array(arguments.dropFirst())
        if rest.contains(where: isHelp) {
            Console.print(command.help)
            return .success
        }
        do throws(Misuse) {
            return try command.run(rest)
        } catch {
            Console.error("hivegate \(name): \(error.reason)\n\n\(command.help)")
            return .usage
        }
    }

    private static func isHelp(_ argument: String) -> Bool { argument == "--help" || argument == "-h" }

    private static func showHelp(_ name: String) -> ExitCode {
        guard let command = all.first(where: { $0.name == name }) else { return unknown(name) }
        Console.print(command.help)
        return .success
    }

    private static func unknown(_ name: String) -> ExitCode {
        Console.error("hivegate: there is no command \"\(name)\"; see hivegate --help")
        return .usage
    }

    private var help: String {
        "usage: hivegate \(name)\(synopsis.isEmpty ? "" : " \(synopsis)")\n\n\(description)"
    }

    private static var overview: String {
        let width = (all.map(\.name.count).max() ?? 0) + 2
        let lines = all.map { command in
            "  \(command.name)\(String(repeating: " ", count: width - command.name.count))\(command.summary)"
        }
        return """
            Hivegate: a self-hosted gateway between teams and language models.

            usage: hivegate COMMAND [ARGUMENTS]

            \(lines.joined(separator: "\n"))

            hivegate COMMAND --help tells more of one. Settings come from the environment: hivegate check-config
            shows each with its meaning. Exit codes: 0 success, 1 failure, 64 wrong usage, 65 wrong data, 66 a file
            cannot be read, 69 a database cannot be reached, 78 wrong configuration.
            """
    }
}
