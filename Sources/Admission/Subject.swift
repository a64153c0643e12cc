import Redis

/// Somebody, or something, whose limits count.
// Confined to its loop.
package final class Subject: @unchecked Sendable {
    package let name: Name
    package let limits: Limits
    let memory: SubjectMemory
    /// Its field among those of the organization.
    let field: [UInt8]
    /// Its limits as Redis reads them, if it has any of this kind.
    let windows: [UInt8]?
    let slots: [UInt8]?
    /// Where its requests under way are counted.
    let slotsField: [UInt8]
    /// Whether its month is limited.
    let limitsMonth: Bool

    package typealias Name = LimitSubject

    init(_ limits: Limits, of memory: SubjectMemory) {
        name = memory.name
        self.memory = memory
        self.limits = limits
        field = name.field
        limitsMonth = limits.requests.month != nil || limits.tokens.month != nil
        slotsField = Self.slotsField(of: name)
        let hasWindows = limits.requests != Limits.Windows() || limits.tokens != Limits.Windows()
        windows =
            hasWindows
            ? Self.packed(
                LimitName.all.map { limits[$0.quantity, $0.span].map(Double.init) ?? Self.unlimited }) : nil
        slots = limits.concurrent.map { Self.packed([Double($0)]) }
    }

    static func slotsField(of name: Name) -> [UInt8] { [UInt8(ascii: "c")] + name.field }

    private static let unlimited = 1e15

    private static func packed(_ numbers: [Double]) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in numbers { bytes.append(double: number) }
        return bytes
    }
}
