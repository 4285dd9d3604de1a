using System.Collections.Immutable;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Fuzz.Mutation;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Tests.Formats.Onnx;
using MLNet.PQCompression.Tests.Inference;

namespace MLNet.PQCompression.Fuzz.Targets;

/// <summary>ONNX: what is read is compiled into a session and scores images, or is compiled for training and takes them forwards and backwards.</summary>
internal sealed class OnnxTarget : IFuzzTarget
{
    private readonly bool _trains;
    private readonly byte[][] _files = [.. Seeds()];
    private readonly ProtoField[] _trees;

    public OnnxTarget(bool trains) => (_trains, _trees) = (trains, [.. _files.Select(ProtoTree.Parse)]);

    public string Name => _trains ? "onnx-train" : "onnx";

    public IEnumerable<byte[]> Sound => _files;

    public byte[] Make(Random random)
    {
        int seed = random.Next(_files.Length);
        if (random.Next(16) == 0)
            return ByteMutator.Mutate(_files[seed], random);
        ProtoField tree = _trees[seed].Clone();
        ProtoMutator.Mutate(tree, random);
        return ProtoTree.Serialize(tree);
    }

    public Outcome Run(byte[] file)
    {
        ModelGraph graph = OnnxReader.Read(file, "damaged", verify: file.Length % 8 == 0);
        return (_trains ? TrainCheck.Run(graph) : SessionCheck.Run(graph)) ? Outcome.Used : Outcome.Read;
    }

    public bool IsDocumented(Exception exception) => exception is InvalidModelException;

    private static IEnumerable<byte[]> Seeds()
    {
        foreach (ModelGraph graph in Graphs())
            for (int opset = 11; opset <= 18; opset += 7)
            {
                var stream = new MemoryStream();
                OnnxWriter.Write(graph, stream, new() { Opset = opset });
                yield return stream.ToArray();
            }
        foreach (byte[] file in Files())
            yield return file;
        yield return new OnnxFile(13, 1, 4, 4, 4).Scalar("zero", 0).Ints("rest", -1).Node("Shape", "input", "s").Node("Gather", "s zero", "n").Node("Unsqueeze", "n axes", "u")
            .Ints("axes", 0).Node("Concat", "u rest", "t", ("axis", 0)).Node("Reshape", "input t", "y").Bytes("y");
        yield return new OnnxFile(17, -1, 2, 6, 6).Floats("w", [4, 2, 3, 3]).Node("Conv", "input w", "c", ("auto_pad", "SAME_UPPER"), ("strides", new[] { 2, 2 }))
            .Node("Split", "c", "a b", ("axis", 1)).Node("Sum", "a b a", "s").Node("Softmax", "s", "y", ("axis", 1)).Bytes("y");
    }

    /// <summary>Operators beside those of the graphs below, as exporters write them.</summary>
    private static IEnumerable<byte[]> Files()
    {
        yield return new OnnxFile(18, -1, 4, 4, 4).Floats("w", [4, 2, 3, 3]).Floats("one", [2], 1, 0.5f).Floats("scales", [4], 1, 1, 2, 2)
            .Node("ConvTranspose", "input w", "c", ("strides", new[] { 2, 2 }), ("pads", new[] { 1, 1, 1, 1 }), ("output_padding", new[] { 1, 1 }))
            .Node("InstanceNormalization", "c one one", "n").Node("Resize", "n - scales", "r", ("mode", "linear")).Node("Elu", "r", "y").Bytes("y");
        yield return new OnnxFile(17, -1, 4, 4, 4).Ints("rows", 0, 2, -1).Ints("times", 1, 1, 2, 1).Floats("slope", [3, 1, 1], 0.1f, 0.2f, 0.3f)
            .Node("Gather", "input rows", "g", ("axis", 1)).Node("PRelu", "g slope", "p").Node("Tile", "p times", "t").Node("ReduceMax", "t", "m", ("axes", new[] { 2 }))
            .Node("LogSoftmax", "m", "y", ("axis", 1)).Bytes("y");
        yield return new OnnxFile(17, -1, 4, 4, 4).Floats("scale", [4], 1, 1, 2, 2).Ints("size", 1, 16, 2, 2).Ints("around", 0, 0, 1, 1, 0, 0, 1, 1)
            .Node("SpaceToDepth", "input", "s", ("blocksize", 2)).Node("Expand", "s size", "e").Node("DepthToSpace", "e", "d", ("blocksize", 2))
            .Node("Pad", "d around", "q", ("mode", "reflect")).Node("Max", "q q", "x").Node("ReduceL2", "x", "l", ("axes", new[] { 3 }))
            .Node("Slice", "l first last axis back", "y").Ints("first", 5).Ints("last", -7).Ints("axis", 2).Ints("back", -2).Bytes("y");
    }

    private static IEnumerable<ModelGraph> Graphs()
    {
        var maker = new GraphMaker(1);
        string x = maker.Relu(maker.Normalize(maker.Conv("x", 3, 8, Window.Square(3, 1, 1)), 8));
        x = maker.Add(new Binary(BinaryFunction.Add), x, maker.Conv(x, 8, 8, Window.Square(3, 1, 1), blockSize: 9, codewords: 8));
        yield return maker.Build(maker.Linear(maker.Add(new Flatten(), maker.Add(new GlobalAveragePool(), x)), 8, 4, blockSize: 4, codewords: 4), 3, 6, 6);

        maker = new(2);
        x = maker.Conv("x", 4, 8, new Window(1, 1), blockSize: 4, codewords: 300);
        x = maker.Add(new MaxPool(Window.Square(3, 2, 1)), maker.Conv(x, 8, 8, Window.Square(3, 1, 1), group: 8, bias: true));
        yield return maker.Build(maker.Add(new AveragePool(Window.Square(2, 1), CountIncludePad: true), x), 4, 8, 8);

        maker = new(3);
        string a = maker.Add(new Slice([new(2, 0, int.MaxValue, 2), new(1, 1, 3)]), "x"), b = maker.Add(new Pad([0, 1, 0, 0], [0, 0, 0, 0]), a);
        x = maker.Add(new Concat(1), maker.Add(new Clip(0, 6), a), b, maker.Add(new Lrn(3), a));
        x = maker.Add(new Transpose([0, 2, 1, 3]), maker.Add(new Unary(UnaryFunction.HardSwish), x));
        yield return maker.Build(maker.Add(new Softmax(1), maker.Add(new Reshape([0, -1]), x)), 4, 4, 4);

        maker = new(4);
        string pooled = maker.Add(new GlobalAveragePool(), "x"), flat = maker.Add(new Flatten(), pooled);
        string around = maker.Add(new Flatten(), maker.Conv(pooled, 20, 20, Window.Square(3, 1, 1), blockSize: 9));
        string sum = maker.Add(new Binary(BinaryFunction.Add), maker.Linear(flat, 20, 20, blockSize: 4), flat);
        yield return maker.Build(maker.Add(new Concat(1), sum, around), 20, 3, 3);

        yield return SampleGraphs.EveryOperator();
    }
}
