using System.CommandLine;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>What a network's outputs are taken for.</summary>
internal enum NetworkTask
{
    /// <summary>Classes where the network shows that it gives scores of classes, else outputs.</summary>
    Auto,

    /// <summary>Scores of classes.</summary>
    Classes,

    /// <summary>Whatever they are, output by output.</summary>
    Outputs,
}

/// <summary>--task.</summary>
internal sealed class TaskOption
{
    public Option<NetworkTask> Symbol { get; } = ChoiceOption.Create("--task", "What the outputs are: scores of classes, or anything else.", NetworkTask.Auto);

    /// <summary>The part of a network that gives scores of classes, or null where its outputs are taken as they are.</summary>
    /// <exception cref="UsageException">Classes are asked for, and there are none.</exception>
    public ModelGraph? Classifier(ParseResult arguments, ModelGraph model)
    {
        NetworkTask task = arguments.GetValue(Symbol);
        if (task == NetworkTask.Outputs)
            return null;
        ModelGraph? part = ClassifierPart.Find(model) ?? (task == NetworkTask.Classes && model.Outputs.Length == 1 && !model.ForeignNodes.Any() ? model : null);
        return task != NetworkTask.Classes ? part
            : part ?? throw new UsageException("--task classes: no output of this model can be told to be scores of classes; use --task outputs.");
    }
}
