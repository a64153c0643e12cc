import Base

/// Where a question lies among all that can be meant: a direction, in whole numbers.
///
/// Each component is rounded to one of 65,535 steps of the largest, and the length is that of what was rounded: the
/// cosine of two is off by 0.000002 at most for numbers as models give them, by 0.00004 where one of them is a hundred
/// times the others, and comes out the same on every machine. Eight bits would be off by up to 0.001.
package struct QuestionVector: Equatable, Sendable {
    package static let largestCount = 4096

    /// Its length, and behind it two bytes for each component.
    let bytes: [UInt8]

    private static let headerCount = 8

    /// nil where they are no direction.
    package init?(_ numbers: [Float]) {
        guard (1...Self.largestCount).contains(numbers.count), numbers.allSatisfy(\.isFinite),
            let largest = numbers.lazy.map({ abs(Double($0)) }).max(), largest > 0
        else { return nil }
        let scale = Double(Int16.max) / largest
        var square = 0
        var components: [UInt8] = []
        components.reserveCapacity(2 * numbers.count)
        for number in numbers {
            let component = Int16((Double(number) * scale).rounded())
            square += Int(component) * Int(component)
            withUnsafeBytes(of: component.littleEndian) { components.append($0) }
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerCount + components.count)
        withUnsafeBytes(of: Double(square).squareRoot().bitPattern.littleEndian) { bytes.append($0) }
        self.bytes = bytes + components
    }

    /// How near the direction that `other` holds is, in ten-thousandths: 10,000 is the same. nil where it is none of the
    /// same kind.
    func tenThousandths(to other: UnsafeRawBufferPointer) -> Int? {
        guard other.count == bytes.count else { return nil }
        return bytes.withUnsafeBytes { own in
            let lengths = Self.length(own) * Self.length(other)
            guard lengths.isFinite, lengths > 0 else { return nil }
            let cosine = Double(Self.product(own, other)) / lengths
            return Int((min(max(cosine, -1), 1) * 10_000).rounded())
        }
    }

    package func tenThousandths(to other: QuestionVector) -> Int? {
        other.bytes.withUnsafeBytes { tenThousandths(to: $0) }
    }

    private static func length(_ bytes: UnsafeRawBufferPointer) -> Double {
        Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)))
    }

    private static func product(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Int64 {
        var sum: Int64 = 0
        for place in stride(from: headerCount, to: min(one.count, other.count) - 1, by: 2) {
            let left = Int16(littleEndian: one.loadUnaligned(fromByteOffset: place, as: Int16.self))
            let right = Int16(littleEndian: other.loadUnaligned(fromByteOffset: place, as: Int16.self))
            sum &+= Int64(Int32(left) &* Int32(right))
        }
        return sum
    }
}
