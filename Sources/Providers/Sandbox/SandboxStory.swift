import Base

/// A short story out of a fixed stock of words.
enum SandboxStory {
    /// Numbers that depend on the prompt and the seed alone.
    static func generator(prompt: String, seed: Int?) -> SeededGenerator {
        let digest = Digest.sha256(Array("\(seed ?? 0)\u{0}\(prompt)".utf8))
        return SeededGenerator(seed: digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
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

    static func tell(_ generator: inout SeededGenerator) -> String {
        var sentences = ["Once there was \(pick(heroes, &generator)) who lived \(pick(places, &generator))."]
        for _ in 0..<Int.random(in: 3...5, using: &generator) {
            sentences.append("\(pick(turns, &generator)) they \(pick(deeds, &generator)).")
        }
        sentences.append(
            "\(pick(turns, &generator)) they \(pick(deeds, &generator)), \(pick(ends, &generator))")
        return sentences.joined(separator: " ")
    }

    private static func pick(_ words: [String], _ generator: inout SeededGenerator) -> String {
        words[Int(generator.next() % UInt64(words.count))]
    }
}
