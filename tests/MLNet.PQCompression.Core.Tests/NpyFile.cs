using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace MLNet.PQCompression.Tests;

/// <summary>Reads a numpy .npy array of the kinds that the reference data uses.</summary>
internal sealed partial class NpyFile
{
    private readonly byte[] _data;

    private NpyFile(string type, int[] shape, byte[] data) => (Type, Shape, _data) = (type, shape, data);

    public string Type { get; }

    public int[] Shape { get; }

    public static NpyFile Load(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        int headerLength = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(8));
        string header = Encoding.ASCII.GetString(file, 10, headerLength);
        Match match = Header().Match(header);
        Assert.True(match.Success, header);
        int[] shape = [.. match.Groups[2].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(s => int.Parse(s, CultureInfo.InvariantCulture))];
        return new(match.Groups[1].Value, shape, file[(10 + headerLength)..]);
    }

    public float[] Floats() => Type switch
    {
        "<f4" => Convert(4, s => BinaryPrimitives.ReadSingleLittleEndian(s)),
        "<f8" => Convert(8, s => (float)BinaryPrimitives.ReadDoubleLittleEndian(s)),
        "<f2" => Convert(2, s => (float)BinaryPrimitives.ReadHalfLittleEndian(s)),
        _ => Convert(1, s => (float)s[0]),
    };

    public int[] Ints() => Type switch
    {
        "<i8" => Convert(8, s => (int)BinaryPrimitives.ReadInt64LittleEndian(s)),
        "<i4" => Convert(4, s => BinaryPrimitives.ReadInt32LittleEndian(s)),
        "<i2" => Convert(2, s => (int)BinaryPrimitives.ReadInt16LittleEndian(s)),
        _ => Convert(1, s => (int)s[0]),
    };

    private delegate T Reader<T>(ReadOnlySpan<byte> bytes);

    private T[] Convert<T>(int size, Reader<T> read)
    {
        var result = new T[_data.Length / size];
        for (int i = 0; i < result.Length; i++)
            result[i] = read(_data.AsSpan(i * size, size));
        return result;
    }

    [GeneratedRegex(@"'descr': '([^']+)', 'fortran_order': False, 'shape': \(([^)]*)\)")]
    private static partial Regex Header();
}
