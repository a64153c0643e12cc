import Base
import Testing

@Suite struct DecimalDigitsTests {
    @Test func `a number is written as everybody writes it`() {
        var numbers: [UInt] = [0, .max]
        for power in 0..<20 {
            let (ten, overflows) = (0..<power).reduce((UInt(1), false)) { product, _ in
                let (next, overflows) = product.0.multipliedReportingOverflow(by: 10)
                return (next, product.1 || overflows)
            }
            if !overflows { numbers += [ten - 1, ten, ten + 1, 5 * (ten / 10)] }
        }
        for number in numbers {
            var text: [UInt8] = []
            text.append(decimal: number)
            #expect(String(decoding: text, as: UTF8.self) == "\(number)")
            var among: [UInt8] = [0x61]
            among.append(atMost: 1 + DecimalDigits.most) {
                $0.write(decimal: number)
                $0.write("z")
            }
            #expect(String(decoding: among, as: UTF8.self) == "a\(number)z")
            var padded: [UInt8] = []
            padded.append(decimal: number, width: 7)
            let zeros = String(repeating: "0", count: max(0, 7 - "\(number)".count))
            #expect(String(decoding: padded, as: UTF8.self) == "\(zeros)\(number)")
        }
    }
}
