using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Fuzz.Targets;

/// <summary>What a model takes, and what one call asks for.</summary>
internal static class ImageSize
{
    private const int Open = 8;

    /// <summary>C×H×W, 8 where the model leaves a size open.</summary>
    public static TensorShape Of(ModelGraph graph)
    {
        TensorShape declared = graph.Input.Shape;
        return new(declared[1], declared[2] < 0 ? Open : declared[2], declared[3] < 0 ? Open : declared[3]);
    }

    /// <summary>What the nodes ask for, in multiplications or values.</summary>
    public static double Operations(ModelGraph graph, TensorShape input)
    {
        IReadOnlyDictionary<string, TensorShape> shapes = ShapeInference.Infer(graph, input);
        double sum = 0;
        foreach (Node node in graph.Nodes)
        {
            double each = node.Operator switch
            {
                Conv conv => (double)conv.Window.KernelHeight * conv.Window.KernelWidth * shapes[node.Inputs[1]][1],
                ConvTranspose conv => (double)conv.Window.KernelHeight * conv.Window.KernelWidth * shapes[node.Inputs[1]][0],
                InstanceNormalization or LayerNormalization or PointwiseOperator => 8,
                Resize => 64,
                MaxPool pool => (double)pool.Window.KernelHeight * pool.Window.KernelWidth,
                AveragePool pool => (double)pool.Window.KernelHeight * pool.Window.KernelWidth,
                Gemm or MatMul => shapes[node.Inputs[1]].Dimensions.Max(),
                Lrn => 40,
                _ => 1,
            };
            sum += shapes[node.Output].Count * each + shapes[node.Inputs[0]].Count;
        }
        return sum;
    }
}
