import Base
import Postgres
import Redis

/// Whether the URLs of the databases can be what they should be, before anything connects.
enum StorageURL {
    static func check(_ url: Secret?, as name: String, _ reader: inout EnvironmentReader) {
        guard let url else { return }
        do throws(PostgresError) {
            _ = try PostgresConfiguration(url: url.reveal())
        } catch {
            reader.fault(name, error.details.message)
        }
    }

    static func checkRedis(_ url: Secret?, as name: String, _ reader: inout EnvironmentReader) {
        guard let url else { return }
        do throws(RedisURLError) {
            _ = try RedisURL(url.reveal())
        } catch {
            for fault in error.faults { reader.fault(name, fault) }
        }
    }
}
