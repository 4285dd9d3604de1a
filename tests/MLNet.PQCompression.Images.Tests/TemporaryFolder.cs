using System.IO.Compression;
using System.Text;

namespace MLNet.PQCompression.Tests.Images;

/// <summary>A folder that lives as long as a test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("pq-images-").FullName;

    /// <summary>A one-pixel image whose grey says which it is.</summary>
    public static byte[] Pixel(byte value) => [.. "P5 1 1 255 "u8, value];

    public string Write(string name, byte[] content)
    {
        string path = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    public string Write(string name, string content) => Write(name, Encoding.UTF8.GetBytes(content));

    public string WriteZip(string name, params (string Name, byte[] Content)[] entries)
    {
        string path = System.IO.Path.Combine(Path, name);
        using ZipArchive archive = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach ((string entryName, byte[] content) in entries)
        {
            using Stream stream = archive.CreateEntry(entryName).Open();
            stream.Write(content);
        }
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
