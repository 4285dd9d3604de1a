using System.Collections.Immutable;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.PQCompression.Columns;

/// <summary>The two columns that scoring adds: the scores and the predicted label.</summary>
/// <param name="ScoreName">The name of the scores.</param>
/// <param name="LabelName">The name of the predicted label.</param>
internal sealed record OutputColumns(string ScoreName, string LabelName)
{
    private const string KeyValues = "KeyValues", SlotNames = "SlotNames", TrainingLabelValues = "TrainingLabelValues";
    private const string ScoreColumnKind = "ScoreColumnKind", ScoreValueKind = "ScoreValueKind", Multiclass = "MulticlassClassification";

    /// <summary>A schema with the two columns behind those of the input.</summary>
    public DataViewSchema AddTo(DataViewSchema input, ImmutableArray<string> classNames)
    {
        var names = new VBuffer<ReadOnlyMemory<char>>(classNames.Length, [.. classNames.Select(n => n.AsMemory())]);
        var namesType = new VectorDataViewType(TextDataViewType.Instance, classNames.Length);
        void GetNames(ref VBuffer<ReadOnlyMemory<char>> value) => names.CopyTo(ref value);

        var scoreAnnotations = new DataViewSchema.Annotations.Builder();
        scoreAnnotations.Add<VBuffer<ReadOnlyMemory<char>>>(SlotNames, namesType, GetNames);
        scoreAnnotations.Add<VBuffer<ReadOnlyMemory<char>>>(TrainingLabelValues, namesType, GetNames);
        AddKinds(scoreAnnotations, "Score");
        var labelAnnotations = new DataViewSchema.Annotations.Builder();
        labelAnnotations.Add<VBuffer<ReadOnlyMemory<char>>>(KeyValues, namesType, GetNames);
        AddKinds(labelAnnotations, "PredictedLabel");

        var schema = new DataViewSchema.Builder();
        schema.AddColumns(input);
        schema.AddColumn(ScoreName, new VectorDataViewType(NumberDataViewType.Single, classNames.Length), scoreAnnotations.ToAnnotations());
        schema.AddColumn(LabelName, new KeyDataViewType(typeof(uint), classNames.Length), labelAnnotations.ToAnnotations());
        return schema.ToSchema();
    }

    /// <summary>A schema shape with the two columns in place of those of the same name.</summary>
    public SchemaShape AddTo(SchemaShape input)
    {
        // The constructor of SchemaShape.Column is not public; a custom mapping that has the columns, and their annotations, gives their shape.
        var names = new VBuffer<ReadOnlyMemory<char>>(2, ["0".AsMemory(), "1".AsMemory()]);
        var namesType = new VectorDataViewType(TextDataViewType.Instance, 2);
        SchemaDefinition definition = SchemaDefinition.Create(typeof(Outputs));
        SchemaDefinition.Column score = definition[nameof(Outputs.Score)], label = definition[nameof(Outputs.Label)];
        score.ColumnType = new VectorDataViewType(NumberDataViewType.Single, 2);
        score.AddAnnotation(SlotNames, names, namesType);
        score.AddAnnotation(TrainingLabelValues, names, namesType);
        label.ColumnType = new KeyDataViewType(typeof(uint), 2);
        label.AddAnnotation(KeyValues, names, namesType);
        foreach (SchemaDefinition.Column column in definition)
        {
            column.AddAnnotation(ScoreColumnKind, Multiclass.AsMemory(), TextDataViewType.Instance);
            column.AddAnnotation(ScoreValueKind, (column == score ? "Score" : "PredictedLabel").AsMemory(), TextDataViewType.Instance);
        }
        score.ColumnName = ScoreName;
        label.ColumnName = LabelName;
        return new MLContext().Transforms.CustomMapping<NoColumns, Outputs>(static (_, _) => { }, null, null, definition).GetOutputSchema(input);
    }

    private static void AddKinds(DataViewSchema.Annotations.Builder annotations, string valueKind)
    {
        annotations.Add(ScoreColumnKind, TextDataViewType.Instance, (ref ReadOnlyMemory<char> value) => value = Multiclass.AsMemory());
        annotations.Add(ScoreValueKind, TextDataViewType.Instance, (ref ReadOnlyMemory<char> value) => value = valueKind.AsMemory());
    }

    private sealed class Outputs
    {
        public VBuffer<float> Score { get; set; }

        public uint Label { get; set; }
    }
}
