extension Command {
    static let version = Command(
        name: "version", summary: "print the version", synopsis: "", description: "Prints the version."
    ) { arguments in
        guard arguments.isEmpty else { return version.misused("takes no arguments") }
        Console.print("hivegate \(Version.current)")
        return .success
    }
}
