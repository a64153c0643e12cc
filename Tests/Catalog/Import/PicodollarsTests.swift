import Base
import Catalog
import Testing

struct PicodollarsTests {
    @Test func `what is published is read to the last decimal, however it is written`() {
        for (text, amount) in [
            ("0.000003", 3_000_000), ("3e-06", 3_000_000), ("3E-6", 3_000_000), ("0.30e-5", 3_000_000),
            ("5.46875e-07", 546_875), ("0", 0), ("0.0", 0), ("0e9", 0), ("1", 1_000_000_000_000),
            ("0.04", 40_000_000_000), ("1e-12", 1), ("1.4e-07", 140_000), ("1000", 1_000_000_000_000_000),
        ] {
            #expect(Picodollars.read(text) == amount, "\(text)")
        }
        #expect(Picodollars.read("2.5", perMillion: true) == 2_500_000)
        #expect(Picodollars.read("0.0028", perMillion: true) == 2800)
        #expect(Picodollars.read("0.000001", perMillion: true) == 1)
    }

    @Test func `the noise of programs that calculate in binary is left out`() {
        #expect(Picodollars.read("3.0000000000000004e-08") == 30_000)
        #expect(Picodollars.read("0.00000029999999999999999") == 300_000)
        #expect(Picodollars.read("1.2499999999999999e-07") == 125_000)
    }

    @Test func `what is no price is none`() {
        for text in [
            "", "-1", "+1", "1.", ".5", "abc", "1e", "e5", "1e400", "1e-400", "NaN", "1,5", "0x10", "1 ",
            "1e-13", "1.5e-12", "1000.000001e3", "1e16", "9999999999999999999999", "1e5",
        ] {
            #expect(Picodollars.read(text) == nil, "\(text)")
        }
    }

    @Test func `what is written is read again`() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<10_000 {
            let amount = Int.random(in: 0...(1 << Int.random(in: 0...49, using: &random)), using: &random)
            for perMillion in [true, false] {
                let text = Picodollars.text(amount, perMillion: perMillion)
                #expect(Picodollars.read(text, perMillion: perMillion) == amount, "\(text), seed \(seed)")
            }
        }
        #expect(Picodollars.text(2_500_000, perMillion: true) == "2.5")
        #expect(Picodollars.text(0, perMillion: true) == "0")
        #expect(Picodollars.text(10_000_000, perMillion: true) == "10")
    }
}
