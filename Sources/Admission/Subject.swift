import Redis

/// Somebody, or something, whose limits count.
// Confined to its loop.
package final class Subject: @unchecked Sendable {
    package let name: Name
    package let limits: Limits
    let memory: SubjectMemory
    /// Its field among those of the organization.
    let field: [UInt8]
    /// The limits of its windows as Redis reads them, if it has any.
    let windows: [Double]?
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
            ? LimitName.all.map { limits[$0.quantity, $0.span].map(Double.init) ?? Self.unlimited } : nil
    }

    static func slotsField(of name: Name) -> [UInt8] { [UInt8(ascii: "c")] + name.field }

    private static let unlimited = 1e15
}
