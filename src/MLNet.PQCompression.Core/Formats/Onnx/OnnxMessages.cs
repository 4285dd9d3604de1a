namespace MLNet.PQCompression.Formats.Onnx;

// The messages of onnx.proto as they are read: names and field numbers are the schema's, and bytes stay where they lie in the file. Every constructor throws
// InvalidDataException where its bytes are malformed. Of a field that should come once and comes twice, the last counts.

/// <summary>A ModelProto.</summary>
internal sealed class ModelMessage
{
    public readonly GraphMessage? Graph;
    public readonly List<OperatorSetMessage> OperatorSets = [];
    public readonly List<EntryMessage> Metadata = [];
    public readonly long IrVersion;

    public ModelMessage(ReadOnlyMemory<byte> message)
    {
        var reader = new ProtoReader(message);
        while (reader.Next())
            switch (reader.Field)
            {
                case 1:
                    reader.Integer(ref IrVersion);
                    break;
                case 7 when reader.Bytes(out ReadOnlyMemory<byte> graph):
                    Graph = new(graph);
                    break;
                case 8 when reader.Bytes(out ReadOnlyMemory<byte> set):
                    OperatorSets.Add(new(set));
                    break;
                case 14 when reader.Bytes(out ReadOnlyMemory<byte> entry):
                    Metadata.Add(new(entry));
                    break;
            }
    }
}

/// <summary>An OperatorSetIdProto.</summary>
internal sealed class OperatorSetMessage
{
    public readonly string Domain = "";
    public readonly long Version;

    public OperatorSetMessage(ReadOnlyMemory<byte> message)
    {
        var reader = new ProtoReader(message);
        while (reader.Next())
            if (reader.Field == 1)
                reader.Text(ref Domain);
            else if (reader.Field == 2)
                reader.Integer(ref Version);
    }
}

/// <summary>A StringStringEntryProto.</summary>
internal sealed class EntryMessage
{
    public readonly string Key = "", Value = "";

    public EntryMessage(ReadOnlyMemory<byte> message)
    {
        var reader = new ProtoReader(message);
        while (reader.Next())
            if (reader.Field == 1)
                reader.Text(ref Key);
            else if (reader.Field == 2)
                reader.Text(ref Value);
    }
}

/// <summary>A GraphProto.</summary>
internal sealed class GraphMessage
{
    public readonly string Name = "";
    public readonly List<NodeMessage> Nodes = [];
    public readonly List<TensorMessage> Initializers = [];
    public readonly List<ValueInfoMessage> Inputs = [], Outputs = [];

    /// <summary>SparseTensorProtos.</summary>
    public readonly List<ReadOnlyMemory<byte>> SparseInitializers = [];

    public GraphMessage(ReadOnlyMemory<byte> message)
    {
        var reader = new ProtoReader(message);
        while (reader.Next())
            switch (reader.Field)
            {
                case 1 when reader.Bytes(out ReadOnlyMemory<byte> node):
                    Nodes.Add(new(node));
                    break;
                case 2:
                    reader.Text(ref Name);
                    break;
                case 5 when reader.Bytes(out ReadOnlyMemory<byte> tensor):
                    Initializers.Add(new(tensor));
                    break;
                case 11 when reader.Bytes(out ReadOnlyMemory<byte> input):
                    Inputs.Add(new(input));
                    break;
                case 12 when reader.Bytes(out ReadOnlyMemory<byte> output):
                    Outputs.Add(new(output));
                    break;
                case 15 when reader.Bytes(out ReadOnlyMemory<byte> sparse):
                    SparseInitializers.Add(sparse);
                    break;
            }
    }
}

/// <summary>A ValueInfoProto with its TypeProto and TensorShapeProto.</summary>
internal sealed class ValueInfoMessage
{
    public readonly string Name = "";

    /// <summary>The number of the element type, or 0 where the value is no tensor.</summary>
    public readonly int ElementType;

    /// <summary>The dimensions, -1 where one is not a number; null where the shape is not given.</summary>
    public readonly IntegerList? Dimensions;

    public ValueInfoMessage(ReadOnlyMemory<byte> message)
    {
        var reader = new ProtoReader(message);
        while (reader.Next())
            if (reader.Field == 1)
                reader.Text(ref Name);
            else if (reader.Field == 2 && reader.Bytes(out ReadOnlyMemory<byte> type))
                for (var alternative = new ProtoReader(type); alternative.Next();)
                    if (alternative.Field == 1 && alternative.Bytes(out ReadOnlyMemory<byte> tensor))
                        ReadTensor(tensor, ref ElementType, ref Dimensions);
    }

    private static void ReadTensor(ReadOnlyMemory<byte> message, ref int elementType, ref IntegerList? dimensions)
    {
        var reader = new ProtoReader(message);
        while (reader.Next())
            if (reader.Field == 1)
                reader.Integer(ref elementType);
            else if (reader.Field == 2 && reader.Bytes(out ReadOnlyMemory<byte> shape))
                dimensions = Sizes(shape);
    }

    private static IntegerList Sizes(ReadOnlyMemory<byte> shape)
    {
        var sizes = new IntegerList();
        var reader = new ProtoReader(shape);
        while (reader.Next())
            if (reader.Field == 1 && reader.Bytes(out ReadOnlyMemory<byte> dimension))
            {
                long size = -1;
                for (var value = new ProtoReader(dimension); value.Next();)
                    if (value.Field == 1)
                        value.Integer(ref size);
                sizes.Add(size);
            }
        return sizes;
    }
}
