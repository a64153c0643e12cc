/// Which texts have words that begin like this.
struct WordIndex: Sendable {
    /// In their order.
    private let words: [[UInt8]]
    /// For each word the texts that have it.
    private let places: [[Int32]]
    private let count: Int

    init(_ texts: [Set<[UInt8]>]) {
        var places: [[UInt8]: [Int32]] = [:]
        for (position, words) in texts.enumerated() {
            for word in words { places[word, default: []].append(Int32(position)) }
        }
        let sorted = places.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        words = sorted.map(\.key)
        self.places = sorted.map(\.value)
        count = texts.count
    }

    /// The words of a text, in small letters: what lies between anything but letters and digits.
    static func words(of text: String) -> [[UInt8]] {
        text.lowercased().utf8.split { byte in
            !(byte >= 0x80 || (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte))
        }.map(Array.init)
    }

    /// The texts in which every one of `wanted` begins a word, and how many of them are whole words there.
    func texts(with wanted: [[UInt8]]) -> [(position: Int, wholeWords: Int)] {
        if wanted.isEmpty { return [] }
        var wholeWords = [Int](repeating: 0, count: count)
        // How many of the wanted a text has; those that lack one fall behind.
        var found = [Int](repeating: 0, count: count)
        for (round, prefix) in wanted.enumerated() {
            var word = firstWord(notBefore: prefix)
            while word < words.count, words[word].starts(with: prefix) {
                let isWhole = words[word].count == prefix.count
                for place in places[word] where found[Int(place)] >= round {
                    found[Int(place)] = round + 1
                    if isWhole { wholeWords[Int(place)] += 1 }
                }
                word += 1
            }
        }
        return (0..<count).filter { found[$0] == wanted.count }.map { ($0, wholeWords[$0]) }
    }

    private func firstWord(notBefore prefix: [UInt8]) -> Int {
        var low = 0
        var high = words.count
        while low < high {
            let middle = (low + high) / 2
            if words[middle].lexicographicallyPrecedes(prefix) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
