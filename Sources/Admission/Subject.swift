import Redis

/// Somebody, or something, whose limits count.
// Confined to its loop.
package final class Subject: @unchecked Sendable {
    package let name: Name
    package let limits: Limits
    let memory: SubjectMemory
    /// Its field among those of the organization.
    let field: [UInt8]
    /// For `admit`.
    let windows: RedisArguments?
    let slots: RedisArguments?
    /// For `settle`.
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
        var packed: [UInt8] = []
        for name in LimitName.all {
            packed.append(double: limits[name.quantity, name.span].map(Double.init) ?? Self.unlimited)
        }
        let hasWindows = limits.requests != Limits.Windows() || limits.tokens != Limits.Windows()
        windows = hasWindows ? RedisArguments([field, packed]) : nil
        var count: [UInt8] = []
        limits.concurrent.map { count.append(double: Double($0)) }
        slots = limits.concurrent == nil ? nil : RedisArguments([slotsField, count])
    }

    static func slotsField(of name: Name) -> [UInt8] { [UInt8(ascii: "c")] + name.field }

    private static let unlimited = 1e15
}
