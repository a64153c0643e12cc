import Base

/// The process's environment, as the kernel handed it over.
enum Environment {
    static func variables() -> [String] {
        guard let content = Files.read("/proc/self/environ") else { return [] }
        return content.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
