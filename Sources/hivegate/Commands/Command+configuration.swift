import Base

extension Command {
    static let checkConfig = Command(
        name: "check-config", summary: "show every setting in force, and every fault", synopsis: "",
        description: """
            Reads the environment as "serve" would, prints each setting with its value (secrets as ***) and what it is
            for, and then all faults. Exits with 78 if there is one.
            """
    ) { arguments throws(Misuse) in
        guard arguments.isEmpty else { throw Misuse(reason: "takes no arguments") }
        do throws(Configuration.Invalid) {
            show(try Configuration.current().settings)
            return .success
        } catch {
            show(error.settings)
            return report(error)
        }
    }

    /// The configuration, or what is wrong with it, said in full.
    static func configuration() throws(ExitCode) -> Configuration {
        do throws(Configuration.Invalid) {
            return try Configuration.current()
        } catch {
            throw report(error)
        }
    }

    private static func report(_ invalid: Configuration.Invalid) -> ExitCode {
        let lines = invalid.faults.map { "  \($0)" }
        Console.error("hivegate: the configuration has faults:\n\(lines.joined(separator: "\n"))")
        return .configuration
    }

    private static func show(_ settings: [EnvironmentReader.Setting]) {
        for setting in settings {
            let origin = setting.isDefault ? "default" : "set"
            Console.print("\(setting.name)=\(setting.value)  # \(origin): \(setting.purpose)")
        }
    }
}
