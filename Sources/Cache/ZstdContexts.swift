import Base
import CZstd

/// What libzstd needs to work with, kept: to make it anew costs more than to compress an answer.
// A context is used by who has taken it out, and by nobody else.
final class ZstdContexts: @unchecked Sendable {
    static let shared = ZstdContexts()

    /// More than loops that work at once; what comes back beyond it is freed.
    private static let largestCount = 16
    private static let level: Int32 = 1

    private let compressors = Locked<[OpaquePointer]>([])
    private let decompressors = Locked<[OpaquePointer]>([])

    /// nil where it does not get smaller, or where memory is short.
    func compressed(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let context = compressors.withLock({ $0.popLast() }) ?? ZSTD_createCCtx() else { return nil }
        defer { keep(context, in: compressors) { _ = ZSTD_freeCCtx($0) } }
        let result = [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
            let size = ZSTD_compressCCtx(
                context, buffer.baseAddress, buffer.count, bytes.baseAddress, bytes.count, Self.level)
            // What does not fit is reported as an error.
            count = ZSTD_isError(size) == 0 ? size : 0
        }
        return result.isEmpty ? nil : result
    }

    /// What was compressed in one piece and has `count` bytes; nil for anything else.
    func decompressed(_ bytes: UnsafeRawBufferPointer, count: Int) -> [UInt8]? {
        guard ZSTD_getFrameContentSize(bytes.baseAddress, bytes.count) == UInt64(count),
            ZSTD_findFrameCompressedSize(bytes.baseAddress, bytes.count) == bytes.count,
            let context = decompressors.withLock({ $0.popLast() }) ?? ZSTD_createDCtx()
        else { return nil }
        defer { keep(context, in: decompressors) { _ = ZSTD_freeDCtx($0) } }
        let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let size = ZSTD_decompressDCtx(
                context, buffer.baseAddress, count, bytes.baseAddress, bytes.count)
            filled = size == count ? count : 0
        }
        return result.count == count ? result : nil
    }

    private func keep(
        _ context: OpaquePointer, in contexts: Locked<[OpaquePointer]>, orFree free: (OpaquePointer) -> Void
    ) {
        let isKept = contexts.withLock { contexts in
            guard contexts.count < Self.largestCount else { return false }
            contexts.append(context)
            return true
        }
        if !isKept { free(context) }
    }
}
