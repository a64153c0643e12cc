import Base
import CArgon2
import Synchronization

/// Argon2id, version 1.3 (RFC 9106). Its lanes run one after the other, on the thread that calls.
enum Argon2 {
    struct Cost: Equatable, Sendable {
        var memoryKiB: UInt32
        var passes: UInt32
        var lanes: UInt32

        /// OWASP's first choice for passwords: 20 ms of one core.
        static let standard = Cost(memoryKiB: 19_456, passes: 2, lanes: 1)
    }

    /// The version in the text of a hash.
    static let version = 19

    static func hash(_ message: [UInt8], salt: [UInt8], cost: Cost, length: Int) -> [UInt8] {
        runCount.add(1, ordering: .relaxed)
        // The library takes what it only reads by pointers that may be written to.
        var message = message
        var salt = salt
        return [UInt8](unsafeUninitializedCapacity: length) { buffer, filled in
            let code = message.withUnsafeMutableBufferPointer { message in
                salt.withUnsafeMutableBufferPointer { salt in
                    var context = argon2_context()
                    context.out = buffer.baseAddress
                    context.outlen = UInt32(length)
                    context.pwd = message.baseAddress
                    context.pwdlen = UInt32(message.count)
                    context.salt = salt.baseAddress
                    context.saltlen = UInt32(salt.count)
                    context.t_cost = cost.passes
                    context.m_cost = cost.memoryKiB
                    context.lanes = cost.lanes
                    context.threads = 1
                    context.version = UInt32(version)
                    context.allocate_cbk = { Argon2Memory.lend($0, $1) }
                    context.free_cbk = { Argon2Memory.takeBack($0, $1) }
                    return argon2id_ctx(&context)
                }
            }
            precondition(code == ARGON2_OK.rawValue, "argon2 fails: code \(code)")
            filled = length
        }
    }

    /// How often this process has computed one.
    static var runs: Int { runCount.load(ordering: .relaxed) }
    private static let runCount = Atomic<Int>(0)
}
