using System.Buffers.Binary;
using System.Text;

namespace MLNet.PQCompression.Fuzz.Mutation;

/// <summary>A zip as torch writes it, with entries that lie, overlap or repeat now and then.</summary>
internal static class StoredZip
{
    private const int Local = 0x04034b50, Central = 0x02014b50, End = 0x06054b50;

    /// <summary>The storages, small codes among others.</summary>
    public static readonly byte[] Long = [.. Enumerable.Range(0, 64).Select(i => (byte)(i % 8))], Short = Long[..32];

    /// <summary>A zip around a pickle and two storages of 64 and 32 bytes; without a liar a sound one.</summary>
    public static byte[] Make(byte[] pickle, Random? liar)
    {
        Random random = liar ?? Random.Shared;
        (string Name, byte[] Data)[] parts = [("a/data.pkl", pickle), ("a/byteorder", "little"u8.ToArray()), ("a/data/0", Long), ("a/data/1", Short)];
        bool lies = liar?.Next(4) == 0;
        var file = new MemoryStream();
        var directory = new MemoryStream();
        var offsets = new List<int>();
        foreach ((string name, byte[] data) in parts)
        {
            offsets.Add((int)file.Position);
            Write(file, Local, name, data.Length, data.Length, 0, null);
            file.Write(data);
        }
        for (int i = 0; i < parts.Length; i++)
        {
            bool lie = lies && random.Next(3) == 0;
            int length = parts[i].Data.Length, claimed = lie && random.Next(2) == 0 ? (int)Numbers.Any(random, length) : length;
            int offset = lie && random.Next(2) == 0 ? offsets[random.Next(offsets.Count)] : offsets[i];
            for (int copies = lie ? random.Next(1, 4) : 1; copies > 0; copies--)
                Write(directory, Central, parts[lie && random.Next(4) == 0 ? 2 : i].Name, claimed, lie && random.Next(4) == 0 ? length : claimed, (short)(lie && random.Next(8) == 0 ? 8 : 0), offset);
        }
        int start = (int)file.Position;
        directory.WriteTo(file);
        byte[] end = new byte[22];
        BinaryPrimitives.WriteInt32LittleEndian(end, End);
        short count = (short)(lies && random.Next(4) == 0 ? random.Next(0, 9) : parts.Length);
        BinaryPrimitives.WriteInt16LittleEndian(end.AsSpan(8), count);
        BinaryPrimitives.WriteInt16LittleEndian(end.AsSpan(10), count);
        BinaryPrimitives.WriteInt32LittleEndian(end.AsSpan(12), (int)directory.Length);
        BinaryPrimitives.WriteInt32LittleEndian(end.AsSpan(16), lies && random.Next(8) == 0 ? (int)Numbers.Any(random, start) : start);
        file.Write(end);
        return file.ToArray();
    }

    private static void Write(MemoryStream stream, int signature, string name, int compressed, int length, short method, int? offset)
    {
        byte[] header = new byte[offset is null ? 30 : 46];
        int shift = offset is null ? 0 : 2; // The directory's entry has one more version.
        BinaryPrimitives.WriteInt32LittleEndian(header, signature);
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(8 + shift), method);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(18 + shift), compressed);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(22 + shift), length);
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(26 + shift), (short)name.Length);
        if (offset is { } at)
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(42), at);
        stream.Write(header);
        stream.Write(Encoding.ASCII.GetBytes(name));
    }
}
