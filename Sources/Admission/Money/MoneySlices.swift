import Redis

/// What Redis says of the limits of a request that it has not got the money for.
struct MoneySlices {
    /// In milliseconds of its clock.
    let time: Int64
    /// See `AdmissionLibrary`.
    let run: Double
    /// In the order of the request.
    let slices: [Slice]

    struct Slice {
        var left: Int64
        /// By requests under way.
        var held: Int64
    }

    init?(_ answer: RedisValue, count: Int) {
        guard let bytes = answer.bytes, bytes.count == 24 + 16 * count else { return nil }
        (time, run, slices) = bytes.withUnsafeBytes { bytes in
            (
                Int64(bytes.double(at: 8)), bytes.double(at: 16),
                (0..<count).map { place in
                    Slice(
                        left: Int64(bytes.double(at: 24 + 16 * place)),
                        held: Int64(bytes.double(at: 32 + 16 * place)))
                }
            )
        }
    }
}
