import HTTPWire

/// Parameters as Stripe takes them: `application/x-www-form-urlencoded`, with what is nested named in brackets
/// (`items[0][plan]=pro`). What is `nil` is left out; an empty text unsets what it names.
struct StripeForm: Equatable, Sendable, ExpressibleByDictionaryLiteral {
    private var members: [(name: String, value: Parameter)]

    indirect enum Parameter: Equatable, Sendable {
        case text(String)
        case number(Int64)
        case flag(Bool)
        case list([Parameter])
        case object(StripeForm)
    }

    init(dictionaryLiteral elements: (String, Parameter?)...) {
        members = elements.compactMap { name, value in value.map { (name, $0) } }
    }

    /// In the order of their names: a request that is made again after a restart has the same bytes.
    init(_ texts: [String: String]) {
        members = texts.sorted { $0.key < $1.key }.map { ($0.key, .text($0.value)) }
    }

    /// Both; where a name is in both, twice.
    func adding(_ other: StripeForm) -> StripeForm {
        var sum = self
        sum.members += other.members
        return sum
    }

    var encoded: String {
        var pairs: [String] = []
        for (name, value) in members { Self.append(value, as: PercentCoding.encode(name), to: &pairs) }
        return pairs.joined(separator: "&")
    }

    private static func append(_ value: Parameter, as name: String, to pairs: inout [String]) {
        switch value {
        case .text(let text): pairs.append("\(name)=\(PercentCoding.encode(text))")
        case .number(let number): pairs.append("\(name)=\(number)")
        case .flag(let flag): pairs.append("\(name)=\(flag)")
        case .list(let elements):
            for (index, element) in elements.enumerated() {
                append(element, as: "\(name)[\(index)]", to: &pairs)
            }
        case .object(let form):
            for (key, value) in form.members {
                append(value, as: "\(name)[\(PercentCoding.encode(key))]", to: &pairs)
            }
        }
    }

    static func == (left: StripeForm, right: StripeForm) -> Bool {
        left.members.elementsEqual(right.members) { $0 == $1 }
    }
}
