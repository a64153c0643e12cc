import Base

/// Reads variables, and remembers for each what is in force and what is wrong with it: all faults are shown at
/// once, and `check-config` prints what was read.
struct EnvironmentReader {
    struct Setting {
        let name: String
        let value: String
        let isDefault: Bool
        let purpose: String
    }

    struct Fault: Equatable, CustomStringConvertible {
        let name: String
        let reason: String

        var description: String { "\(name): \(reason)" }
    }

    private let environment: [String: String]
    private(set) var settings: [Setting] = []
    private(set) var faults: [Fault] = []

    init(_ environment: [String: String]) { self.environment = environment }

    mutating func fault(_ name: String, _ reason: String) { faults.append(Fault(name: name, reason: reason)) }

    /// Whether it is set to something.
    func has(_ name: String) -> Bool { environment[name]?.isEmpty == false }

    mutating func text(_ name: String, default value: String, _ purpose: String) -> String {
        note(name, environment[name] ?? value, purpose)
        return environment[name] ?? value
    }

    /// An empty variable is as good as none.
    mutating func optionalText(_ name: String, _ purpose: String) -> String? {
        let value = environment[name].flatMap { $0.isEmpty ? nil : $0 }
        note(name, value ?? "(none)", purpose)
        return value
    }

    mutating func secret(_ name: String, _ purpose: String) -> Secret? {
        let value = environment[name].flatMap { $0.isEmpty ? nil : Secret($0) }
        note(name, value.map { "\($0)" } ?? "(none)", purpose)
        return value
    }

    mutating func integer(_ name: String, default value: Int, in range: ClosedRange<Int>, _ purpose: String)
        -> Int
    {
        note(name, environment[name] ?? "\(value)", purpose)
        guard let text = environment[name] else { return value }
        guard let number = Int(text), range.contains(number) else {
            fault(
                name,
                "\"\(Self.shortened(text))\" is not a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
            return value
        }
        return number
    }

    /// Separated by commas.
    mutating func networks(_ name: String, default value: String, _ purpose: String) -> [IPNetwork] {
        var networks: [IPNetwork] = []
        for text in text(name, default: value, purpose).split(separator: ",") {
            if let network = IPNetwork(String(text)) {
                networks.append(network)
            } else {
                fault(name, "\"\(Self.shortened(String(text)))\" is no network, such as 10.0.0.0/8")
            }
        }
        return networks
    }

    mutating func choice<Choice>(
        _ name: String, default value: String, _ choices: [(name: String, value: Choice)], _ purpose: String
    ) -> Choice {
        let text = text(name, default: value, purpose)
        if let choice = choices.first(where: { $0.name == text }) { return choice.value }
        fault(name, "\"\(Self.shortened(text))\" is none of \(choices.map(\.name).joined(separator: ", "))")
        return choices[0].value
    }

    private mutating func note(_ name: String, _ value: String, _ purpose: String) {
        settings.append(
            Setting(name: name, value: value, isDefault: environment[name] == nil, purpose: purpose))
    }

    private static func shortened(_ text: String) -> String { text.count > 60 ? "\(text.prefix(60))…" : text }
}
