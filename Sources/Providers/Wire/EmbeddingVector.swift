import Base
import JSON

/// A vector as it is on the wire: a list of numbers, or their bits as base64. Both ways there and back give the same
/// bits.
enum EmbeddingVector {
    /// A list of numbers, or a text in base64.
    static func read(_ value: JSONValue?) throws(UpstreamFault) -> [Float] {
        switch value?.kind {
        case .array: try read(numbers: value)
        case .string: try read(base64: value?.string ?? "")
        default: throw .garbled("a vector that is neither a list nor base64")
        }
    }

    /// A list of vectors, of which there must be `count`.
    static func read(list: JSONValue?, count: Int) throws(UpstreamFault) -> [[Float]] {
        var vectors: [[Float]] = []
        for value in list?.elements.map({ $0 }) ?? [] { vectors.append(try read(value)) }
        guard vectors.count == count else { throw .garbled("\(vectors.count) vectors for \(count) inputs") }
        return vectors
    }

    private static func read(numbers value: JSONValue?) throws(UpstreamFault) -> [Float] {
        var vector: [Float] = []
        guard let value else { return vector }
        // Numbers of vectors are about a dozen characters long.
        vector.reserveCapacity(value.bytes.count / 12)
        for element in value.elements {
            guard let number = element.number.flatMap(Float.init), number.isFinite else {
                throw .garbled("a vector with something that is no number")
            }
            vector.append(number)
        }
        if vector.isEmpty { throw .garbled("an empty vector") }
        return vector
    }

    private static func read(base64 text: String) throws(UpstreamFault) -> [Float] {
        guard let bytes = Base64.decode(text), !bytes.isEmpty, bytes.count % 4 == 0 else {
            throw .garbled("a vector that is not whole")
        }
        let vector = bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map { place in
                let bits = bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)
                return Float(bitPattern: UInt32(littleEndian: bits))
            }
        }
        guard vector.allSatisfy(\.isFinite) else {
            throw .garbled("a vector with something that is no number")
        }
        return vector
    }

    /// As a JSON list. Each number is the shortest that reads back as the same.
    static func list(_ vector: [Float]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(vector.count * 14 + 2)
        bytes.append(0x5B)
        for (index, number) in vector.enumerated() {
            if index > 0 { bytes.append(0x2C) }
            bytes.append(number.description)
        }
        bytes.append(0x5D)
        return bytes
    }

    static func base64(_ vector: [Float]) -> String {
        let bits = vector.map(\.bitPattern.littleEndian)
        return bits.withUnsafeBytes { Base64.encode($0) }
    }
}
