using System.Buffers.Binary;
using System.Text.Json;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Safetensors;

/// <summary>The safetensors container: an 8-byte header length, a JSON header of names, types, shapes and offsets, and the raw data.</summary>
public static class SafetensorsFile
{
    private const int MaxHeaderBytes = 100_000_000;

    private static readonly (string Name, TensorElementType Type)[] ElementTypes =
    [
        ("F32", TensorElementType.Float32), ("F16", TensorElementType.Float16), ("BF16", TensorElementType.BFloat16), ("F64", TensorElementType.Float64),
        ("BOOL", TensorElementType.Bool), ("I8", TensorElementType.Int8), ("U8", TensorElementType.UInt8), ("I16", TensorElementType.Int16),
        ("U16", TensorElementType.UInt16), ("I32", TensorElementType.Int32), ("U32", TensorElementType.UInt32), ("I64", TensorElementType.Int64),
        ("U64", TensorElementType.UInt64),
    ];

    /// <summary>Whether the bytes begin as a safetensors file does.</summary>
    public static bool Detect(ReadOnlySpan<byte> file) =>
        file.Length >= 10 && file[8] == '{' && BinaryPrimitives.ReadUInt64LittleEndian(file) <= (ulong)(file.Length - 8);

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidModelException">It is malformed; the message names the file and the tensor.</exception>
    public static StateDict Read(string path) => Read(File.ReadAllBytes(path), path);

    /// <summary>Reads the bytes of a file.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="source">What to call it in messages.</param>
    /// <exception cref="InvalidModelException">It is malformed; the message names the source and the tensor.</exception>
    public static StateDict Read(ReadOnlyMemory<byte> file, string source)
    {
        if (file.Length < 8)
            throw new InvalidModelException($"{source}: {file.Length} bytes are too few for a safetensors file.");
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(file.Span);
        if (headerLength > MaxHeaderBytes || headerLength > (ulong)(file.Length - 8))
            throw new InvalidModelException($"{source}: the header claims {headerLength} bytes; the file has {file.Length - 8} and at most {MaxHeaderBytes} are read.");
        ReadOnlyMemory<byte> data = file[(8 + (int)headerLength)..];
        try
        {
            using var header = JsonDocument.Parse(file.Slice(8, (int)headerLength), new() { MaxDepth = 8 });
            return new(source, Tensors(header.RootElement, data, source));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidModelException($"{source}: the safetensors header is malformed: {e.Message}", e);
        }
    }

    private static List<KeyValuePair<string, StateTensor>> Tensors(JsonElement header, ReadOnlyMemory<byte> data, string source)
    {
        var entries = new List<(string Name, TensorElementType Type, TensorShape Shape, int Begin, int End)>();
        foreach (JsonProperty property in header.EnumerateObject())
            if (property.Name != "__metadata__")
                entries.Add(Entry(property, data.Length, source));
        int end = 0;
        foreach ((string name, _, _, int begin, int next) in entries.OrderBy(e => e.Begin).ThenBy(e => e.End))
        {
            if (begin < end)
                throw new InvalidModelException($"{source}: tensor '{name}' starts at byte {begin}, inside another one that ends at {end}.");
            end = next;
        }
        return [.. entries.OrderBy(e => e.Begin).Select(e => KeyValuePair.Create(e.Name, Decode(e.Name, e.Type, e.Shape, data[e.Begin..e.End], source)))];
    }

    private static (string, TensorElementType, TensorShape, int, int) Entry(JsonProperty property, int dataLength, string source)
    {
        if (property.Value.ValueKind != JsonValueKind.Object
            || !property.Value.TryGetProperty("dtype", out JsonElement type)
            || !property.Value.TryGetProperty("shape", out JsonElement shape) || shape.ValueKind != JsonValueKind.Array
            || !property.Value.TryGetProperty("data_offsets", out JsonElement offsets) || offsets.ValueKind != JsonValueKind.Array || offsets.GetArrayLength() != 2)
            throw new InvalidModelException($"{source}: tensor '{property.Name}' lacks a dtype, a shape or two data_offsets.");
        string? typeName = type.GetString();
        int index = Array.FindIndex(ElementTypes, t => t.Name == typeName);
        if (index < 0)
            throw new InvalidModelException($"{source}: tensor '{property.Name}' is of type {typeName}; {string.Join(", ", ElementTypes.Select(t => t.Name))} are read.");
        (long begin, long end) = (offsets[0].GetInt64(), offsets[1].GetInt64());
        if (begin < 0 || end < begin || end > dataLength)
            throw new InvalidModelException($"{source}: tensor '{property.Name}' lies at bytes {begin} to {end} of {dataLength}.");
        try
        {
            TensorShape sizes = RawTensor.ShapeOf([.. shape.EnumerateArray().Select(s => s.GetInt64())]);
            return (property.Name, ElementTypes[index].Type, sizes, (int)begin, (int)end);
        }
        catch (InvalidModelException e)
        {
            throw new InvalidModelException($"{source}: tensor '{property.Name}': {e.Message}.", e);
        }
    }

    private static StateTensor Decode(string name, TensorElementType type, TensorShape shape, ReadOnlyMemory<byte> data, string source)
    {
        try
        {
            return new RawTensor(type, shape, data).ToState();
        }
        catch (InvalidModelException e)
        {
            throw new InvalidModelException($"{source}: tensor '{name}': {e.Message}.", e);
        }
    }

    /// <summary>Writes a file; quantized weights are decoded, dense ones keep their element type.</summary>
    public static void Write(StateDict state, string path)
    {
        using FileStream stream = File.Create(path);
        Write(state, stream);
    }

    /// <summary>Writes to a stream; quantized weights are decoded, dense ones keep their element type.</summary>
    public static void Write(StateDict state, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(stream);
        var header = new MemoryStream();
        long offset = 0;
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            foreach ((string name, StateTensor tensor) in state)
            {
                TensorElementType type = tensor is IntegerTensor integers ? integers.Type : (TensorElementType)StorageOf(tensor);
                long end = checked(offset + tensor.Shape.Count * type.Size());
                json.WriteStartObject(name);
                json.WriteString("dtype", ElementTypes.First(t => t.Type == type).Name);
                json.WriteStartArray("shape");
                foreach (int d in tensor.Shape.Dimensions)
                    json.WriteNumberValue(d);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(end);
                json.WriteEndArray();
                json.WriteEndObject();
                offset = end;
            }
            json.WriteEndObject();
        }
        while (header.Length % 8 != 0)
            header.WriteByte((byte)' ');
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        header.WriteTo(stream);
        foreach (StateTensor tensor in state.Values)
            stream.Write(tensor is IntegerTensor integers
                ? RawTensor.Encode(integers.Values.Span, integers.Type)
                : RawTensor.Encode(((WeightTensor)tensor).Value.ToDense().Span, StorageOf(tensor)));
    }

    private static StorageType StorageOf(StateTensor tensor) =>
        tensor is WeightTensor { Value: DenseTensor dense } ? dense.Storage : StorageType.Float32;
}
