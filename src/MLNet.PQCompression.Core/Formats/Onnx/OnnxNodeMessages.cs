namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>A NodeProto.</summary>
internal sealed class NodeMessage
{
    public readonly List<string> Inputs = [], Outputs = [];
    public readonly string Name = "", Type = "", Domain = "";
    public readonly List<AttributeMessage> Attributes = [];

    public NodeMessage(ReadOnlyMemory<byte> message)
    {
        string value = "";
        var reader = new ProtoReader(message);
        while (reader.Next())
            switch (reader.Field)
            {
                case 1 when reader.Text(ref value):
                    Inputs.Add(value);
                    break;
                case 2 when reader.Text(ref value):
                    Outputs.Add(value);
                    break;
                case 3:
                    reader.Text(ref Name);
                    break;
                case 4:
                    reader.Text(ref Type);
                    break;
                case 5 when reader.Bytes(out ReadOnlyMemory<byte> attribute):
                    Attributes.Add(new(attribute));
                    break;
                case 7:
                    reader.Text(ref Domain);
                    break;
            }
    }
}

/// <summary>An AttributeProto; which of its values is meant is known by the one who asks.</summary>
internal sealed class AttributeMessage
{
    public readonly string Name = "";
    public readonly ReadOnlyMemory<byte> Text;
    public readonly float Float;
    public readonly long Integer;
    public readonly TensorMessage? Tensor;
    public readonly IntegerList Integers = new();

    /// <summary>GraphProtos; null where there are none.</summary>
    public readonly List<ReadOnlyMemory<byte>>? Graphs;

    /// <summary>floats as bytes, or null where there are none.</summary>
    public readonly MemoryStream? Floats;

    public AttributeMessage(ReadOnlyMemory<byte> message)
    {
        var reader = new ProtoReader(message);
        while (reader.Next())
            switch (reader.Field)
            {
                case 1:
                    reader.Text(ref Name);
                    break;
                case 2:
                    reader.Float(ref Float);
                    break;
                case 3:
                    reader.Integer(ref Integer);
                    break;
                case 4 when reader.Bytes(out ReadOnlyMemory<byte> text):
                    Text = text;
                    break;
                case 5 when reader.Bytes(out ReadOnlyMemory<byte> tensor):
                    Tensor = new(tensor);
                    break;
                case 6 or 11 when reader.Bytes(out ReadOnlyMemory<byte> graph):
                    (Graphs ??= []).Add(graph);
                    break;
                case 7:
                    reader.Numbers(ref Floats, sizeof(float));
                    break;
                case 8:
                    reader.Integers(Integers);
                    break;
            }
    }
}

/// <summary>A TensorProto.</summary>
internal sealed class TensorMessage
{
    public readonly string Name = "";
    public readonly IntegerList Dimensions = new();
    public readonly int ElementType, DataLocation;
    public readonly List<EntryMessage> ExternalData = [];

    /// <summary>raw_data, and whether it is there.</summary>
    public readonly ReadOnlyMemory<byte> RawData;
    public readonly bool HasRawData;

    /// <summary>Numbers outside raw_data: float_data or double_data as bytes, null where there are none, and the integers of whichever field holds them.</summary>
    public readonly MemoryStream? RealData;
    public readonly IntegerList IntegerData = new();

    public TensorMessage(ReadOnlyMemory<byte> message)
    {
        var reader = new ProtoReader(message);
        while (reader.Next())
            switch (reader.Field)
            {
                case 1:
                    reader.Integers(Dimensions);
                    break;
                case 2:
                    reader.Integer(ref ElementType);
                    break;
                case 4:
                    reader.Numbers(ref RealData, sizeof(float));
                    break;
                case 5 or 7 or 11:
                    reader.Integers(IntegerData);
                    break;
                case 8:
                    reader.Text(ref Name);
                    break;
                case 9 when reader.Bytes(out ReadOnlyMemory<byte> raw):
                    (RawData, HasRawData) = (raw, true);
                    break;
                case 10:
                    reader.Numbers(ref RealData, sizeof(double));
                    break;
                case 13 when reader.Bytes(out ReadOnlyMemory<byte> entry):
                    ExternalData.Add(new(entry));
                    break;
                case 14:
                    reader.Integer(ref DataLocation);
                    break;
            }
    }
}
