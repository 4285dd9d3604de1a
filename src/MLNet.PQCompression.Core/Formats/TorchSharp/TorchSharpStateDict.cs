using System.Text;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.TorchSharp;

/// <summary>
/// The file that TorchSharp's <c>module.save</c> writes, usually .dat or .bin: a count, then for each tensor its name, element type, shape and raw data. Numbers are in base 128,
/// lowest digits first.
/// </summary>
public static class TorchSharpStateDict
{
    private const int MostTensors = 1 << 20, MostDimensions = 16, LongestName = 1024;

    /// <summary>PyTorch's numbers of element types.</summary>
    private static readonly Dictionary<ulong, TensorElementType> Types = new()
    {
        [0] = TensorElementType.UInt8, [1] = TensorElementType.Int8, [2] = TensorElementType.Int16, [3] = TensorElementType.Int32, [4] = TensorElementType.Int64,
        [5] = TensorElementType.Float16, [6] = TensorElementType.Float32, [7] = TensorElementType.Float64, [11] = TensorElementType.Bool, [15] = TensorElementType.BFloat16,
    };

    /// <summary>Whether the bytes begin as such a file does: there is no magic number, but a count, a name as parameters have them, an element type and a rank.</summary>
    public static bool Detect(ReadOnlyMemory<byte> file)
    {
        var reader = new Reader(file, "");
        try
        {
            return reader.Number() is > 0 and <= MostTensors && reader.Name() is { Length: > 0 } name && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
                && Types.ContainsKey(reader.Number()) && reader.Number() <= MostDimensions;
        }
        catch (InvalidModelException)
        {
            return false;
        }
    }

    /// <summary>Reads the bytes of a file.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="source">What to call it in messages.</param>
    /// <exception cref="InvalidModelException">It is malformed; the message names the source and the tensor.</exception>
    public static StateDict Read(ReadOnlyMemory<byte> file, string source)
    {
        var reader = new Reader(file, source);
        ulong count = reader.Number();
        if (count > MostTensors)
            throw new InvalidModelException($"{source}: it claims {count} tensors; at most {MostTensors} are read.");
        var tensors = new List<KeyValuePair<string, StateTensor>>();
        for (ulong i = 0; i < count; i++)
        {
            string name = reader.Name();
            tensors.Add(new(name, Tensor(ref reader, name, source)));
        }
        if (reader.Left > 0)
            throw new InvalidModelException($"{source}: {reader.Left} bytes follow the last of {count} tensors.");
        return new(source, tensors);
    }

    private static StateTensor Tensor(ref Reader reader, string name, string source)
    {
        ulong type = reader.Number(), rank = reader.Number();
        if (!Types.TryGetValue(type, out TensorElementType element))
            throw new InvalidModelException($"{source}: tensor '{name}' is of PyTorch's element type {type}, which is not read.");
        if (rank > MostDimensions)
            throw new InvalidModelException($"{source}: tensor '{name}' has {rank} dimensions; at most {MostDimensions} are read.");
        var sizes = new long[rank];
        foreach (ref long size in sizes.AsSpan())
            size = reader.Number() is var d and <= int.MaxValue ? (long)d : -1;
        try
        {
            TensorShape shape = RawTensor.ShapeOf(sizes);
            if (RawTensor.ByteCount(element, shape) is not { } bytes || bytes > reader.Left)
                throw new InvalidModelException($"a {element} tensor of shape {shape} needs more than the {reader.Left} bytes that are left");
            return new RawTensor(element, shape, reader.Bytes(bytes)).ToState();
        }
        catch (InvalidModelException e)
        {
            throw new InvalidModelException($"{source}: tensor '{name}': {e.Message}.", e);
        }
    }

    private struct Reader(ReadOnlyMemory<byte> file, string source)
    {
        private int _position;

        public readonly int Left => file.Length - _position;

        /// <summary>A number in base 128.</summary>
        public ulong Number()
        {
            ulong value = 0;
            for (int shift = 0; shift < 63; shift += 7)
            {
                byte digit = Left > 0 ? file.Span[_position++] : throw Ends();
                value |= (ulong)(digit & 0x7F) << shift;
                if (digit < 0x80)
                    return value;
            }
            throw new InvalidModelException($"{source}: the number at byte {_position} is longer than 63 bits.");
        }

        /// <summary>A string with its length before it.</summary>
        public string Name()
        {
            ulong length = Number();
            if (length > LongestName)
                throw new InvalidModelException($"{source}: the name at byte {_position} claims {length} bytes; at most {LongestName} are read.");
            return Encoding.UTF8.GetString(Bytes((int)length).Span);
        }

        public ReadOnlyMemory<byte> Bytes(int count)
        {
            if (count > Left)
                throw Ends();
            _position += count;
            return file.Slice(_position - count, count);
        }

        private readonly InvalidModelException Ends() => new($"{source}: it ends at byte {file.Length}, inside a tensor.");
    }
}
