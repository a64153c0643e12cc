import Base

/// A short story out of a fixed stock of words.
enum SandboxStory {
    /// Numbers that depend on the prompt and the seed alone.
    struct Generator: RandomNumberGenerator {
        private var state: UInt64

        init(prompt: String, seed: Int?) {
            let digest = Digest.sha256(Array("\(seed ?? 0)\u{0}\(prompt)".utf8))
            state = digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        }

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private static let heroes = [
        "a beekeeper", "a lighthouse keeper", "two sisters", "an old cartographer", "a night baker",
    ]
    private static let places = [
        "by the sea", "under a tin roof", "at the edge of town", "in a valley of pines",
    ]
    private static let deeds = [
        "found a key that fitted nothing", "counted the stars and lost count", "wrote letters to the river",
        "built a clock with no hands", "learned the names of the winds", "kept a lamp burning for a stranger",
    ]
    private static let turns = ["One evening", "In the third winter", "After the long rain", "On market day"]
    private static let ends = [
        "and nobody was ever late again.", "and the bees hummed as if they had known.",
        "and the map was finally complete.", "and that was enough.",
    ]

    static func tell(_ generator: inout Generator) -> String {
        var sentences = ["Once there was \(pick(heroes, &generator)) who lived \(pick(places, &generator))."]
        for _ in 0..<Int.random(in: 3...5, using: &generator) {
            sentences.append("\(pick(turns, &generator)) they \(pick(deeds, &generator)).")
        }
        sentences.append(
            "\(pick(turns, &generator)) they \(pick(deeds, &generator)), \(pick(ends, &generator))")
        return sentences.joined(separator: " ")
    }

    private static func pick(_ words: [String], _ generator: inout Generator) -> String {
        words[Int(generator.next() % UInt64(words.count))]
    }
}
