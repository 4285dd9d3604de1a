using Microsoft.ML.OnnxRuntime;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;
using MLNet.PQCompression.Tests.Formats.Onnx;
using Activation = MLNet.PQCompression.Inference.Activation;
using Session = MLNet.PQCompression.Inference.InferenceSession;

namespace MLNet.PQCompression.OnnxRuntime.Tests.Conformance;

/// <summary>Every operator, node by node and compiled, gives what ONNX Runtime gives, before and after it is written to a file.</summary>
public sealed class OperatorConformanceTests
{
    public static TheoryData<string> Cases => [.. OperatorCases.Names];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Equals_ONNX_Runtime(string name)
    {
        OnnxFile file = OperatorCases.Make(name);
        byte[] bytes = file.Bytes("y");
        ModelGraph graph = OnnxReader.Read(bytes, "case.onnx");
        int[] size = [.. graph.Input.Shape.Dimensions.Skip(1).Select((d, i) => d > 0 ? d : 10 + 2 * i)];
        long batch = file.Model.Graph.Input[0].Type.TensorType.Shape.Dim[0].DimValue;
        foreach (int count in batch > 0 ? (int[])[(int)batch] : [1, 3])
        {
            Activation images = Images(count, size);
            float[] expected = Run(bytes, images);
            float[] evaluated = new NodeEvaluator(graph).EvaluateAll(images).Single().Span.ToArray();
            Close(expected, evaluated, "node by node");
            foreach (SimdLevel level in SimdLevels.Supported)
                foreach (int threads in (int[])[1, 2])
                {
                    using var session = new Session(graph, new() { Threads = threads, Level = level });
                    float[] scored = session.Run(images)["y"].Span.ToArray();
                    Close(expected, scored, $"compiled, {level}, {threads} threads, {count} images");
                }
            if (count == 1 && Writes(name))
                Close(expected, Run(Written(graph), images), "written and run by ONNX Runtime");
        }
        Alone(graph, size);
    }

    /// <summary>A batch holds for each image what the image gives by itself.</summary>
    private static void Alone(ModelGraph graph, int[] size)
    {
        Activation images = Images(3, size);
        using var session = new Session(graph, new() { Threads = 1, InputShape = new(size) });
        int length = session.OutputLength, pixels = images.Span.Length / 3;
        float[] together = new float[3 * length], one = new float[length];
        session.Run(images.Span, 3, together);
        for (int i = 0; i < 3; i++)
        {
            session.Run(images.Span.Slice(i * pixels, pixels), 1, one);
            Close(one, together.AsSpan(i * length, length).ToArray(), $"image {i} of three");
        }
    }

    /// <summary>Whether the default operator set has the operator.</summary>
    private static bool Writes(string name) => !name.StartsWith("Pad wrap", StringComparison.Ordinal) && !name.StartsWith("Resize symmetric", StringComparison.Ordinal);

    private static byte[] Written(ModelGraph graph)
    {
        var stream = new MemoryStream();
        OnnxWriter.Write(graph, stream);
        return stream.ToArray();
    }

    private static Activation Images(int count, int[] size)
    {
        var random = new Random(7);
        var images = new Activation(new([count, .. size]));
        foreach (ref float v in images.Span)
            v = random.NextSingle() * 4 - 2;
        return images;
    }

    private static float[] Run(byte[] model, Activation images)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using var session = new Microsoft.ML.OnnxRuntime.InferenceSession(model, options);
        using var input = OrtValue.CreateTensorValueFromMemory(images.Span.ToArray(), [.. images.Shape.Dimensions.Select(d => (long)d)]);
        using var run = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, ["input"], [input], ["y"]);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }

    private static void Close(float[] expected, float[] actual, string what)
    {
        Assert.True(expected.Length == actual.Length, $"{what}: {actual.Length} values, not {expected.Length}");
        double scale = 2e-5 * Math.Max(1, expected.Where(float.IsFinite).Select(MathF.Abs).DefaultIfEmpty(0).Max());
        for (int i = 0; i < expected.Length; i++)
            Assert.True(expected[i].Equals(actual[i]) || Math.Abs(expected[i] - actual[i]) <= scale, $"{what}: value {i} is {actual[i]}, not {expected[i]}");
    }
}
