using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace MLNet.PQCompression.Tests.Formats.PyTorch;

/// <summary>Puts pickles together opcode by opcode, as torch.save and as an attacker would.</summary>
internal sealed class PickleWriter
{
    private readonly MemoryStream _bytes = new();

    public PickleWriter() => Raw(0x80, 2);

    public PickleWriter Raw(params ReadOnlySpan<byte> bytes)
    {
        _bytes.Write(bytes);
        return this;
    }

    public PickleWriter Op(char opcode) => Raw((byte)opcode);

    public PickleWriter Text(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        return Op('X').Int32(utf8.Length).Raw(utf8);
    }

    public PickleWriter Number(long value)
    {
        Raw(0x8a, 8);
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return Raw(bytes);
    }

    public PickleWriter Global(string module, string name) => Raw(Encoding.UTF8.GetBytes($"c{module}\n{name}\n"));

    public PickleWriter Tuple(params ReadOnlySpan<long> values)
    {
        Op('(');
        foreach (long value in values)
            Number(value);
        return Op('t');
    }

    /// <summary>A tensor by _rebuild_tensor_v2.</summary>
    public PickleWriter Tensor(string storageType, string key, long count, long offset, long[] shape, long[] strides) =>
        Global("torch._utils", "_rebuild_tensor_v2").Op('(')
            .Op('(').Text("storage").Global("torch", storageType).Text(key).Text("cpu").Number(count).Op('t').Op('Q')
            .Number(offset).Tuple(shape).Tuple(strides).Raw(0x89).Global("collections", "OrderedDict").Op(')').Op('R').Op('t').Op('R');

    public byte[] End() => Op('.')._bytes.ToArray();

    /// <summary>The zip container around a pickle and its storages.</summary>
    public static byte[] Zip(byte[] pickle, params ReadOnlySpan<(string Key, byte[] Data)> storages)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add("archive/data.pkl", pickle);
            Add("archive/byteorder", "little"u8.ToArray());
            foreach ((string key, byte[] data) in storages)
                Add($"archive/data/{key}", data);

            void Add(string name, byte[] data)
            {
                using Stream entry = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
                entry.Write(data);
            }
        }
        return stream.ToArray();
    }

    private PickleWriter Int32(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return Raw(bytes);
    }
}
