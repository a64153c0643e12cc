import Glibc

/// What people read at a terminal. The log is for machines and goes another way.
enum Console {
    static func print(_ text: String) { write(text, to: 1) }
    static func error(_ text: String) { write(text, to: 2) }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array("\(text)\n".utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            // Whoever read this has gone; there is nobody left to tell.
            if count <= 0 && errno != EINTR { return }
            rest = rest.dropFirst(max(0, count))
        }
    }
}
