import Base
import Identity
import LocalServers

/// Where the master keys come from: a file that only its owner can read, given or made at the first start.
enum MasterKeyFile {
    static func keys(_ configuration: Configuration, _ place: LocalPlace?) throws -> MasterKeys {
        if let path = configuration.masterKeyFile {
            return try MasterKeys(parsing: Secret(String(decoding: Files.read(path) ?? [], as: UTF8.self)))
        }
        guard let place else { preconditionFailure("with DATABASE_URL the master key is required") }
        let path = "\(place.root)/master-key"
        if !Files.exists(path) { try Files.write(Array(MasterKeys.newFile().utf8), to: path, mode: 0o400) }
        return try MasterKeys(parsing: Secret(String(decoding: Files.read(path) ?? [], as: UTF8.self)))
    }

    /// Whether it can be used, before anything starts.
    static func check(_ path: String, as name: String, _ reader: inout EnvironmentReader) {
        guard let content = Files.read(path) else { return reader.fault(name, "cannot be read") }
        if Files.isReadableByOthers(path) {
            reader.fault(name, "can be read by others than its owner: chmod 0400 it")
        }
        do throws(MasterKeys.Fault) {
            _ = try MasterKeys(parsing: Secret(String(decoding: content, as: UTF8.self)))
        } catch {
            reader.fault(name, error.description)
        }
    }
}
