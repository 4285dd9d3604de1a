using System.Globalization;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>Takes the bytes out of a TensorProto, wherever it keeps them, after checking that its shape asks for exactly as many.</summary>
internal sealed class OnnxTensors(string? folder)
{
    private const int External = 1;

    /// <summary>ONNX's numbers of the element types; its other types are not read.</summary>
    private static readonly TensorElementType[] Types =
    [
        TensorElementType.Float32, TensorElementType.UInt8, TensorElementType.Int8, TensorElementType.UInt16, TensorElementType.Int16,
        TensorElementType.Int32, TensorElementType.Int64, TensorElementType.Bool, TensorElementType.Float16, TensorElementType.Float64,
        TensorElementType.UInt32, TensorElementType.UInt64, TensorElementType.BFloat16,
    ];

    private static readonly int[] Numbers = [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 16];

    /// <summary>ONNX's number of an element type.</summary>
    public static int Number(TensorElementType type) => Numbers[Array.IndexOf(Types, type)];

    /// <summary>The element type of a number; false where it is none that is read.</summary>
    public static bool TryType(long number, out TensorElementType type)
    {
        for (int i = 0; i < Numbers.Length; i++)
            if (Numbers[i] == number)
            {
                type = Types[i];
                return true;
            }
        type = default;
        return false;
    }

    /// <summary>The message of a tensor.</summary>
    public static Schema.TensorProto ToProto(string name, RawTensor tensor)
    {
        var message = new Schema.TensorProto { Name = name, DataType = Number(tensor.Type), RawData = Google.Protobuf.ByteString.CopyFrom(tensor.Data.Span) };
        message.Dims.AddRange(tensor.Shape.Dimensions.Select(d => (long)d));
        return message;
    }

    /// <summary>Whether a tensor is of a type that is read; strings, complex numbers and numbers of less than 8 bits are not.</summary>
    public static bool IsRead(TensorMessage tensor) => TryType(tensor.ElementType, out _);

    public RawTensor Decode(TensorMessage tensor)
    {
        try
        {
            if (!TryType(tensor.ElementType, out TensorElementType type))
                throw new InvalidModelException($"its element type {tensor.ElementType} is not one of {string.Join(", ", Types)}");
            TensorShape shape = RawTensor.ShapeOf(tensor.Dimensions.ToArray());
            ReadOnlyMemory<byte> data = tensor.DataLocation == External ? ReadExternal(tensor, type, shape)
                : tensor.HasRawData ? tensor.RawData
                : TypedData(tensor, type);
            return new(type, shape, data);
        }
        catch (InvalidModelException e)
        {
            throw new InvalidModelException($"tensor '{tensor.Name}': {e.Message}", e);
        }
    }

    private static byte[] TypedData(TensorMessage tensor, TensorElementType type) => type is TensorElementType.Float32 or TensorElementType.Float64
        ? tensor.RealData?.ToArray() ?? []
        : RawTensor.Encode(tensor.IntegerData.ToArray(), type);

    private byte[] ReadExternal(TensorMessage tensor, TensorElementType type, TensorShape shape)
    {
        string? location = Entry(tensor, "location");
        if (folder is null || string.IsNullOrEmpty(location))
            throw new InvalidModelException("its data lie in another file, which cannot be found without the model's path");
        string root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        string path = Path.GetFullPath(Path.Combine(root, location));
        if (!path.StartsWith(root, StringComparison.Ordinal) || location.Contains('\0'))
            throw new InvalidModelException($"its data lie at '{location}', outside the model's folder");
        long offset = Number(tensor, "offset") ?? 0;
        int bytes = RawTensor.ByteCount(type, shape) ?? throw new InvalidModelException($"its shape {shape} is too large");
        if (Number(tensor, "length") is { } length && length != bytes)
            throw new InvalidModelException($"its data are {length} bytes long, but shape {shape} of {type} needs {bytes}");
        try
        {
            if (new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true) is { } target && !target.FullName.StartsWith(root, StringComparison.Ordinal))
                throw new InvalidModelException($"its data file '{location}' is a link to a place outside the model's folder");
            using FileStream stream = File.OpenRead(path);
            if (offset < 0 || offset > stream.Length - bytes)
                throw new InvalidModelException($"its data are bytes {offset} to {offset + bytes} of '{location}', which has {stream.Length}");
            stream.Position = offset;
            var data = new byte[bytes];
            stream.ReadExactly(data);
            return data;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidModelException($"its data file '{location}' cannot be read: {e.Message}", e);
        }
    }

    private static string? Entry(TensorMessage tensor, string key) => tensor.ExternalData.FirstOrDefault(e => e.Key == key)?.Value;

    private static long? Number(TensorMessage tensor, string key) => Entry(tensor, key) is not { } text ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value
        : throw new InvalidModelException($"its external {key} '{text}' is not a number");
}
