using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.PyTorch;

/// <summary>The zip that torch 1.6 and later write: a pickle, and a stored part for each storage.</summary>
/// <remarks>Parts are read when they are asked for, each once, and all together never take more bytes than the file: entries that share their bytes are refused.</remarks>
internal sealed class TorchZip
{
    private const int MaxPickleBytes = 256 << 20;

    private readonly ZipArchive _archive;
    private readonly string _folder;
    private readonly Dictionary<string, byte[]> _parts = new(StringComparer.Ordinal);
    private long _bytesLeft;

    private TorchZip(ZipArchive archive, string folder, long fileLength) => (_archive, _folder, _bytesLeft) = (archive, folder, fileLength);

    /// <summary>The object that was saved.</summary>
    public byte[] Pickle { get; private init; } = [];

    /// <summary>Opens the zip and reads its pickle.</summary>
    /// <exception cref="InvalidModelException">It is malformed, or torch.save did not write it.</exception>
    public static TorchZip Open(ReadOnlyMemory<byte> file)
    {
        ArraySegment<byte> bytes = MemoryMarshal.TryGetArray(file, out ArraySegment<byte> own) ? own : file.ToArray();
        return Guard(() =>
        {
            var archive = new ZipArchive(new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false), ZipArchiveMode.Read);
            ZipArchiveEntry pickle = archive.Entries.FirstOrDefault(e => e.Name == "data.pkl" && e.FullName.Count(c => c == '/') <= 1)
                ?? throw new InvalidModelException("the zip holds no data.pkl, so torch.save did not write it");
            var zip = new TorchZip(archive, pickle.FullName[..^"data.pkl".Length], file.Length);
            if (zip.Find("constants.pkl") is not null)
                throw new InvalidModelException("it is a TorchScript program; save model.state_dict() with torch.save instead");
            if (zip.Find("byteorder") is { } order && Encoding.ASCII.GetString(zip.Bytes(order, 16)) != "little")
                throw new InvalidModelException("it was written on a big-endian machine");
            return new TorchZip(archive, zip._folder, zip._bytesLeft - pickle.Length) { Pickle = zip.Bytes(pickle, MaxPickleBytes) };
        });
    }

    /// <summary>Reads a part; false where there is none of that name.</summary>
    /// <exception cref="InvalidModelException">It is malformed or compressed, or the parts overlap.</exception>
    public bool TryRead(string name, out ReadOnlyMemory<byte> data)
    {
        if (!_parts.TryGetValue(name, out byte[]? part) && (part = Guard(() => Find(name) is { } entry ? Bytes(entry, Array.MaxLength) : null)) is not null)
            _parts.Add(name, part);
        data = part;
        return part is not null;
    }

    private ZipArchiveEntry? Find(string name) => _archive.GetEntry(_folder + name);

    private byte[] Bytes(ZipArchiveEntry entry, int limit)
    {
        if (entry.CompressedLength != entry.Length || entry.Length > limit)
            throw new InvalidModelException($"its part '{entry.FullName}' is compressed or above {limit} bytes; torch.save stores parts as they are");
        if ((_bytesLeft -= entry.Length) < 0)
            throw new InvalidModelException($"its parts up to '{entry.FullName}' take more bytes than the file: they overlap");
        var bytes = new byte[entry.Length];
        using Stream stream = entry.Open();
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is InvalidDataException or IOException or NotSupportedException or ArgumentException or OverflowException)
        {
            throw new InvalidModelException($"the zip is malformed: {e.Message}", e);
        }
    }
}
