using System.Runtime.InteropServices;
using System.Text;
using MLNet.PQCompression.Collectives;

namespace MLNet.PQCompression.Distillation.Checkpoints;

/// <summary>A checkpoint as bytes.</summary>
internal static class CheckpointContent
{
    private const int MaxNameBytes = 4096;

    /// <summary>Gives all ranks a checkpoint that rank 0 has, or null.</summary>
    public static Checkpoint? FromFirst(WorkParts parts, Func<Checkpoint?> state)
    {
        if (parts.Ranks.Size == 1)
            return state();
        byte[] bytes = parts.FromFirst(() =>
        {
            using var written = new MemoryStream();
            if (state() is { } own)
                Write(written, own);
            return written.ToArray();
        });
        using var content = new MemoryStream(bytes);
        return bytes.Length == 0 ? null : Read(content, "what rank 0 has sent");
    }

    /// <summary>Writes a checkpoint.</summary>
    public static void Write(Stream stream, Checkpoint checkpoint)
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(checkpoint.Stage);
        writer.Write(checkpoint.Position);
        Write(writer, checkpoint.Values);
        Write(writer, checkpoint.Codes);
    }

    /// <summary>Reads a checkpoint.</summary>
    /// <param name="stream">Where it begins.</param>
    /// <param name="source">What it is called in messages.</param>
    /// <exception cref="InvalidDataException">The bytes are no checkpoint.</exception>
    /// <exception cref="EndOfStreamException">They end too early.</exception>
    public static Checkpoint Read(Stream stream, string source)
    {
        using var reader = new BinaryReader(stream, Encoding.UTF8, leaveOpen: true);
        string stage = reader.ReadString();
        long position = reader.ReadInt64();
        return new(stage, position, Read<float>(reader, source), Read<ushort>(reader, source));
    }

    private static void Write<T>(BinaryWriter writer, IReadOnlyDictionary<string, T[]> arrays)
        where T : unmanaged
    {
        writer.Write(arrays.Count);
        foreach ((string name, T[] array) in arrays.OrderBy(a => a.Key, StringComparer.Ordinal))
        {
            writer.Write(name);
            writer.Write(array.Length);
            writer.Write(MemoryMarshal.AsBytes<T>(array));
        }
    }

    private static Dictionary<string, T[]> Read<T>(BinaryReader reader, string path)
        where T : unmanaged
    {
        int count = reader.ReadInt32();
        var arrays = new Dictionary<string, T[]>(StringComparer.Ordinal);
        for (int i = 0; i < count; i++)
        {
            string name = reader.ReadString();
            int length = reader.ReadInt32();
            long room = reader.BaseStream.Length - reader.BaseStream.Position;
            if (name.Length > MaxNameBytes || length < 0 || (long)length * Marshal.SizeOf<T>() > room)
                throw new InvalidDataException($"{path}: the array '{name}' of {length} values does not fit the {room} bytes that are left.");
            var array = new T[length];
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(array.AsSpan()));
            arrays[name] = array;
        }
        return arrays;
    }
}
