package import Base
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

    package enum Name: Hashable, Sendable {
        case organization
        case user(UUID)
        case key(UUID)
        case model(String)
        /// Of endpoints.
        case group(String)
        /// Who is not known otherwise. Belongs to no organization.
        case address(IPAddress)

        /// As `GET /api/v1/limits`, errors and the database have it: `user:0199…`.
        package var text: String {
            switch self {
            case .organization: "organization"
            case .user(let user): "user:\(user)"
            case .key(let key): "key:\(key)"
            case .model(let model): "model:\(model)"
            case .group(let group): "group:\(group)"
            case .address(let address): "address:\(address)"
            }
        }

        var field: [UInt8] {
            switch self {
            case .organization: Array("o".utf8)
            case .user(let user): Array("u\(user)".utf8)
            case .key(let key): Array("k\(key)".utf8)
            case .model(let model): Array("m\(model)".utf8)
            case .group(let group): Array("e\(group)".utf8)
            case .address: Array("a".utf8)
            }
        }
    }

    init(_ limits: Limits, of memory: SubjectMemory) {
        name = memory.name
        self.memory = memory
        self.limits = limits
        field = name.field
        slotsField = [UInt8(ascii: "c")] + field
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

    private static let unlimited = 1e15
}
