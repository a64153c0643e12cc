extension Command {
    static let version = Command(
        name: "version", summary: "print the version", synopsis: "", description: "Prints the version."
    ) { arguments throws(Misuse) in
        guard arguments.isEmpty else { throw Misuse(reason: "takes no arguments") }
        Console.print("hivegate \(Version.current)")
        return .success
    }
}
