import Base
import Catalog
import Gateway
import Identity

extension Command {
    static let importSynopsis = "import FILE [FILE ...] --format litellm|openrouter|hivegate [--yes]"

    static let prices = Command(
        name: "prices", summary: "take prices over from lists, and decide what is doubtful about them",
        synopsis: "\(importSynopsis)\n       hivegate prices list\n       hivegate prices approve|reject ID",
        description: """
            Lists of prices are read, and it is printed what would change. Only models that the catalogue has get prices; what
            a list is silent about stays, and so do prices that were entered here.

              --format litellm     model_prices_and_context_window.json of LiteLLM; a 0 says nothing there
              --format openrouter  the answer of https://openrouter.ai/api/v1/models: its own prices, and those that it passes
                                   on from OpenAI, Anthropic, Google, xAI, Cohere and Perplexity
              --format hivegate    a table with commas whose first line names the columns: provider, upstream_name, and prices
                                   as in catalog/models.csv, in dollars for a million tokens
              --yes                writes them: each holds from now on, and the one before it ends

            Several files are several sources, of one format, or of as many as there are files: each in its order. A price is not
            applied but waits for an operator where it is more than 1,000 dollars for a million tokens, more than \(PriceImport.jump) times as
            much as before or as little, or something else than another source says, now or when it was last imported.

            list shows what waits, approve has it hold from now on, and reject leaves the price as it is.

            Exits with 65 if a list is wrong (then nothing is written) or what waits cannot be approved, and 66 if a file cannot
            be read.
            """
    ) { arguments throws(Misuse) in
        let arguments = try Arguments(arguments, options: ["--format"], flags: ["--yes"])
        switch arguments.words.first {
        case "import": return try importPrices(arguments)
        case "list":
            _ = try arguments.operands(0)
            return Administration.run { try await listProposals($0) }
        case "approve", "reject":
            let id = try Arguments.identifier(try arguments.operand())
            let isApproved = arguments.words[0] == "approve"
            return Administration.run { try await decide(id, isApproved: isApproved, $0) }
        default: throw Misuse(reason: "expected import, list, approve or reject")
        }
    }

    // MARK: Importing

    private static func importPrices(_ arguments: Arguments) throws(Misuse) -> ExitCode {
        let paths = Array(arguments.words.dropFirst())
        let formats = try formats(of: paths, arguments)
        var lists: [PriceImport.List] = []
        for (path, format) in zip(paths, formats) {
            guard let bytes = Files.read(path) else {
                Console.error("hivegate: \(path) cannot be read")
                return .noInput
            }
            // Two of one format are two sources all the same.
            let isOnlyOne = formats.filter { $0 == format }.count == 1
            let name = path.split(separator: "/").last.map(String.init) ?? path
            do throws(PriceFormat.Unreadable) {
                lists.append(
                    PriceImport.List(
                        try format.read(bytes),
                        source: isOnlyOne ? format.source : "\(format.source):\(name.suffix(80))"))
            } catch {
                Console.error("hivegate: \(path) is no list of the format \(format.rawValue): \(error)")
                return .data
            }
        }
        guard Set(lists.map(\.source)).count == lists.count else {
            throw Misuse(reason: "two files have the same name, and so nobody could tell what is from which")
        }
        let (read, isWriting) = (lists, arguments.has("--yes"))
        return Administration.run { try await importPrices(read, isWriting: isWriting, $0) }
    }

    private static func formats(
        of paths: [String], _ arguments: Arguments
    ) throws(Misuse) -> [PriceFormat] {
        guard !paths.isEmpty else { throw Misuse(reason: "a file is missing") }
        var formats: [PriceFormat] = []
        for name in arguments.values("--format") {
            guard let format = PriceFormat(rawValue: name) else {
                let names = PriceFormat.allCases.map(\.rawValue).joined(separator: ", ")
                throw Misuse(reason: "there is no format \"\(name)\"; there are \(names)")
            }
            formats.append(format)
        }
        if formats.count == 1 { return paths.map { _ in formats[0] } }
        guard formats.count == paths.count else {
            throw Misuse(
                reason: formats.isEmpty
                    ? "--format is missing" : "there are \(paths.count) files and \(formats.count) formats")
        }
        return formats
    }

    private static func importPrices(
        _ lists: [PriceImport.List], isWriting: Bool, _ administration: Administration
    ) async throws {
        guard let update = try await PriceUpdate(lists, administration.store) else { return }
        let plan = update.plan
        show(plan)
        guard plan.faults.isEmpty else {
            Console.error(
                "hivegate: the list is wrong, and nothing of it was written:\n\(lines(plan.faults))")
            throw ExitCode.data
        }
        guard isWriting else {
            if !plan.changes.isEmpty || !plan.quarantined.isEmpty {
                Console.print("Nothing was written. Add --yes to write it.")
            }
            return
        }
        try await update.write(administration.store, by: .command)
        Console.print("Written. Servers that are running know it within half a minute.")
    }

    // MARK: Deciding

    private static let mostListed = 1000

    private static func listProposals(_ administration: Administration) async throws {
        let proposals = try await administration.store.readInstance {
            try await CatalogStore.proposals(.open, limit: mostListed, $0)
        }
        let models = CatalogSnapshot(try await CatalogStore(administration.pool).load()?.models ?? [])
        for proposal in proposals {
            let old = models.model(id: proposal.model)?.price(at: .now())
            let change = PriceImport.Change(
                model: proposal.model, old: old, new: proposal.price, reasons: proposal.reasons)
            Console.print("\(proposal.id) \(proposal.source) \(line(change))")
        }
        if proposals.isEmpty { Console.print("Nothing waits.") }
        if proposals.count == mostListed { Console.print("There may be more.") }
    }

    private static func decide(_ id: UUID, isApproved: Bool, _ administration: Administration) async throws {
        do {
            let proposal = try await administration.store.decide(
                id, isApproved: isApproved, at: .now(), by: .command)
            Console.print("\(proposal.model): \(isApproved ? "approved" : "rejected").")
        } catch let fault as PriceProposal.Fault {
            Console.error("hivegate: \(fault)")
            throw ExitCode.data
        }
    }

    // MARK: What is said

    private static let mostShown = 20

    private static func lines(_ texts: [String]) -> String {
        let rest = texts.count - mostShown
        return texts.prefix(mostShown).map { "  \($0)" }.joined(separator: "\n")
            + (rest > 0 ? "\n  and \(rest) more" : "")
    }

    private static func show(_ plan: PriceImport) {
        for change in plan.changes { Console.print(line(change)) }
        for change in plan.quarantined { Console.print("waits: \(line(change))") }
        Console.print(
            "\(plan.changes.count) change, \(plan.unchanged.count) are as they were, \(plan.kept.count) were entered "
                + "here and stay, \(plan.unknownCount) are of models that the catalogue does not have.")
        let waiting = plan.quarantined.count + plan.waiting.count
        if waiting > 0 { Console.print("\(waiting) wait for an operator: hivegate prices list.") }
        if plan.rejectedCount > 0 { Console.print("\(plan.rejectedCount) were rejected before.") }
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
        let reasons = change.reasons.map(\.description).joined(separator: ", ")
        return "\(change.model): \(parts.joined(separator: ", "))" + (reasons.isEmpty ? "" : " (\(reasons))")
    }
}
