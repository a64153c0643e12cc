import Base
import CArgon2
import Glibc

/// The memory that Argon2 works in, kept from one hash to the next.
///
/// Returned to the kernel and asked for again, 19 MiB for each hash would take the lock on the process's address space
/// some 5,000 times: by threads of low priority, while loops wait for it. Kept, twice as many hashes are made on a busy
/// machine. The library has wiped what comes back.
enum Argon2Memory {
    /// More blocks than this are not kept.
    private static let limit = 8
    private static let size = Int(Argon2.Cost.standard.memoryKiB) * 1024

    // Held by the list or by one computation, never by both.
    private struct Block: @unchecked Sendable {
        let start: UnsafeMutablePointer<UInt8>
    }

    private static let blocks = Locked<[Block]>([])

    static func lend(_ memory: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, _ count: Int) -> Int32 {
        if count == size, let block = blocks.withLock({ $0.popLast() }) {
            memory?.pointee = block.start
            return ARGON2_OK.rawValue
        }
        // Not the allocator's: it would keep what it is given back, and from then on other large blocks too.
        guard let fresh = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            fresh != MAP_FAILED
        else { return ARGON2_MEMORY_ALLOCATION_ERROR.rawValue }
        memory?.pointee = fresh.assumingMemoryBound(to: UInt8.self)
        return ARGON2_OK.rawValue
    }

    static func takeBack(_ memory: UnsafeMutablePointer<UInt8>?, _ count: Int) {
        guard let memory else { return }
        let isKept =
            count == size
            && blocks.withLock { blocks in
                guard blocks.count < limit else { return false }
                blocks.append(Block(start: memory))
                return true
            }
        if !isKept { munmap(memory, count) }
    }

    /// What is kept and not in use goes back to the kernel.
    static func giveBack() {
        let rest = blocks.withLock { blocks in
            defer { blocks = [] }
            return blocks
        }
        for block in rest { munmap(block.start, size) }
    }
}
