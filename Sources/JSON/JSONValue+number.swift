extension JSONValue {
    /// The number as it was written.
    package var number: String? {
        guard kind == .number else { return nil }
        return withText { String(decoding: $0.bytes(span), as: UTF8.self) }
    }

    /// The number if it is exactly an integer of 64 bits, by value: `1`, `1.0`, `10e-1` are all one; `1.5`, `1e30`
    /// and `9223372036854775808` are none.
    package var int: Int? {
        guard kind == .number else { return nil }
        return withText { text in
            let written = text.bytes(span)
            if let plain = CanonicalNumber.plainInteger(written) { return plain }
            // Canonical integers below 10^20 are plain digits, so what is not plain here is no 64-bit integer.
            var canonical: [UInt8] = []
            CanonicalNumber.append(written, to: &canonical)
            return canonical.withUnsafeBufferPointer { CanonicalNumber.plainInteger($0) }
        }
    }

    /// The nearest double; nil when the number is too large for one.
    package var double: Double? {
        guard let number, let value = Double(number), value.isFinite else { return nil }
        return value
    }
}
