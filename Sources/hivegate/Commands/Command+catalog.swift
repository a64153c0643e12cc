extension Command {
    /// As it was called before there was more to be done with prices.
    static let catalog = Command(
        name: "catalog", summary: "the same as prices, for import", synopsis: importSynopsis,
        description: "The same as hivegate prices import: see hivegate prices --help."
    ) { arguments throws(Misuse) in
        guard arguments.first == "import" else { throw Misuse(reason: "expected import") }
        return try prices.run(arguments)
    }
}
