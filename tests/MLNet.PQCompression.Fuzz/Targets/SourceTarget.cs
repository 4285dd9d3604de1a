using System.IO.Compression;
using System.Text;
using MLNet.PQCompression.Fuzz.Mutation;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Fuzz.Targets;

/// <summary>Sources of images, a zip archive or a CSV list, opened and read to their first two images.</summary>
internal sealed class SourceTarget : IFuzzTarget
{
    private static readonly string[] Words =
        ["file", "label", "class_index", "a/1.png", "b/2.png", "../../etc/passwd", "/dev/null", "a\\1.png", "\"", "\"\"", ",", ";", "\t", "\n", "\r\n", "\0", "\uFEFF", "1.0", "-1", "NaN", "9999999999999", "e", "", "./", "é"];

    private readonly bool _zip;
    private readonly byte[] _sound;
    private readonly string _folder, _path;

    public SourceTarget(bool zip)
    {
        _zip = zip;
        string memory = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        _folder = Directory.CreateDirectory(Path.Combine(memory, $"fuzz-{Environment.ProcessId}-{(zip ? "zip" : "csv")}")).FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(_folder, recursive: true);
        foreach (string name in (string[])["a/1.png", "b/2.png"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder, name))!);
            File.WriteAllBytes(Path.Combine(_folder, name), Pictures.Png());
        }
        _path = Path.Combine(_folder, zip ? "images.zip" : "list.csv");
        _sound = zip ? Archive() : Encoding.UTF8.GetBytes("file,label\na/1.png,3\n\"b/2.png\",4\na/1.png,\n");
    }

    public string Name => _zip ? "images-zip" : "images-csv";

    public IEnumerable<byte[]> Sound => [_sound];

    public byte[] Make(Random random)
    {
        byte[] file = _sound;
        for (int i = random.Next(1, 5); i > 0; i--)
            file = _zip || random.Next(3) == 0 ? ByteMutator.Mutate(file, random) : Spliced(file, random);
        return file;
    }

    public Outcome Run(byte[] file)
    {
        File.WriteAllBytes(_path, file);
        using ImageSource source = ImageSource.Open(_path);
        for (int i = 0; i < Math.Min(2, source.Count); i++)
            source.Decode(i);
        return Outcome.Read;
    }

    public bool IsDocumented(Exception exception) => exception is InvalidImageException or InvalidDataException;

    private static byte[] Spliced(byte[] file, Random random)
    {
        int at = random.Next(file.Length + 1);
        string word = random.Next(8) == 0 ? Numbers.Any(random).ToString() : Words[random.Next(Words.Length)];
        return [.. file.AsSpan(0, at), .. Encoding.UTF8.GetBytes(word), .. file.AsSpan(Math.Min(file.Length, at + random.Next(3)))];
    }

    private static byte[] Archive()
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
            foreach ((string name, CompressionLevel level) in (IEnumerable<(string, CompressionLevel)>)
                [("a/1.png", CompressionLevel.NoCompression), ("b/2.png", CompressionLevel.SmallestSize), ("b/readme.txt", CompressionLevel.NoCompression)])
            {
                ZipArchiveEntry entry = zip.CreateEntry(name, level);
                entry.LastWriteTime = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
                using Stream content = entry.Open();
                content.Write(Pictures.Png());
            }
        return stream.ToArray();
    }
}
