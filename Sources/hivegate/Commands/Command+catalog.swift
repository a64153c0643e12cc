import Base
import Catalog
import Identity

extension Command {
    static let catalog = Command(
        name: "catalog", summary: "compare the prices of models with a list, and take them over",
        synopsis: "import FILE --format litellm|openrouter|hivegate [--yes] [--allow-jumps]",
        description: """
            Reads a list of prices and prints what would change. Only models that the catalogue has get prices; what the list
            is silent about stays, and so do prices that were entered here.

              --format litellm     model_prices_and_context_window.json of LiteLLM; a 0 says nothing there
              --format openrouter  the answer of https://openrouter.ai/api/v1/models: its own prices, and those that it passes
                                   on from OpenAI, Anthropic, Google, xAI, Cohere and Perplexity
              --format hivegate    a table with commas whose first line names the columns: provider, upstream_name, and prices
                                   as in catalog/models.csv, in dollars for a million tokens
              --yes                writes them: each holds from now on, and the one before it ends
              --allow-jumps        also what is more than \(PriceImport.jump) times as much as before, or as little

            Everything is written or nothing. Exits with 65 if the list is wrong or has such a jump, and 66 if it cannot be read.
            """
    ) { arguments throws(Misuse) in
        let arguments = try Arguments(
            arguments, options: ["--format"], flags: ["--yes", "--allow-jumps"])
        guard arguments.words.first == "import" else { throw Misuse(reason: "expected import") }
        let path = try arguments.operand()
        let name = try arguments.required("--format")
        guard let format = PriceFormat(rawValue: name) else {
            let names = PriceFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw Misuse(reason: "there is no format \"\(name)\"; there are \(names)")
        }
        guard let bytes = Files.read(path) else {
            Console.error("hivegate: \(path) cannot be read")
            return .noInput
        }
        let list: [ListedPrice]
        do throws(PriceFormat.Unreadable) { list = try format.read(bytes) } catch {
            Console.error("hivegate: \(path) is no list of the format \(name): \(error)")
            return .data
        }
        let (isWriting, mayJump) = (arguments.has("--yes"), arguments.has("--allow-jumps"))
        return Administration.run { administration in
            try await importPrices(list, format, isWriting: isWriting, mayJump: mayJump, administration)
        }
    }

    private static func importPrices(
        _ list: [ListedPrice], _ format: PriceFormat, isWriting: Bool, mayJump: Bool,
        _ administration: Administration
    ) async throws {
        let store = CatalogStore(administration.pool)
        guard let contents = try await store.load() else { return }
        let now = Timestamp.now()
        let plan = PriceImport(list, source: format.source, over: contents.models, at: now)
        show(plan)
        if let refusal = refusal(of: plan, mayJump: mayJump) {
            Console.error(refusal)
            throw ExitCode.data
        }
        guard isWriting else {
            if !plan.changes.isEmpty { Console.print("Nothing was written. Add --yes to write it.") }
            return
        }
        try await administration.store.changeInstance(
            "catalog.import", "catalog", format.rawValue, after: #"{"changes":\#(plan.changes.count)}"#,
            by: .command
        ) { transaction in
            try await CatalogStore.write(plan, comparedWith: contents.version, at: now, transaction)
        }
        Console.print("Written. Servers that are running know it within half a minute.")
    }

    // MARK: What is said

    private static let mostShown = 20

    private static func refusal(of plan: PriceImport, mayJump: Bool) -> String? {
        if !plan.faults.isEmpty {
            return "hivegate: the list is wrong, and nothing of it was written:\n"
                + lines(plan.faults)
        }
        if !mayJump, !plan.jumps.isEmpty {
            return
                "hivegate: more than \(PriceImport.jump) times as much as before, or as little, and nothing was written:\n"
                + lines(plan.jumps.map { "\($0.model): \($0.jumps.map(\.rawValue).joined(separator: ", "))" })
                + "\nIf that is right, add --allow-jumps."
        }
        return nil
    }

    private static func lines(_ texts: [String]) -> String {
        let rest = texts.count - mostShown
        return texts.prefix(mostShown).map { "  \($0)" }.joined(separator: "\n")
            + (rest > 0 ? "\n  and \(rest) more" : "")
    }

    private static func show(_ plan: PriceImport) {
        for change in plan.changes { Console.print(line(change)) }
        Console.print(
            "\(plan.changes.count) change, \(plan.unchanged.count) are as they were, \(plan.kept.count) were entered "
                + "here and stay, \(plan.unknownCount) are of models that the catalogue does not have.")
    }

    /// In dollars: for a million tokens, or for one of what is not a token.
    private static func line(_ change: PriceImport.Change) -> String {
        func text(_ amount: Int?, _ column: PriceColumn) -> String {
            amount.map { Picodollars.text($0, perMillion: column.isPerToken) } ?? "?"
        }
        var parts = change.columns.map { column in
            "\(column.rawValue) \(text(change.old?[column], column)) -> \(text(change.new[column], column))"
        }
        if change.old?.longContext?.above != change.new.longContext?.above {
            let (old, new) = (change.old?.longContext?.above, change.new.longContext?.above)
            parts.append("long_above \(old.map(String.init) ?? "?") -> \(new.map(String.init) ?? "?")")
        }
        return "\(change.model): \(parts.joined(separator: ", "))"
    }
}
